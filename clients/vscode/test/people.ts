// Projects as the server tells of them, for tests.

import type { ProjectListener } from "../src/feed";
import type { Source } from "../src/projects";
import type { Approval, ProjectGetResult, Session, Spec, Task, TaskOrder, Usage, WireEvent } from "../src/protocol.gen";

export const NOTHING: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, costUsd: 0 };
export const ROOT = "file:///home/ann/greeter";

export function task(id: string, told: Partial<Task> = {}): Task {
  const [specId = "", number = ""] = id.split("/");
  const state = { state: "ready" as const, reason: "", cause: null, proven: false, wasProven: false, stale: [], outdated: [], verifiable: false, attempts: 0, agentId: null };
  const place = { parent: null, isLeaf: true, optional: false, requirements: [], dependsOn: [], dependsOnGroups: [], verify: [], line: 0 };
  return { id, specId, number, title: `Task ${number}`, ...state, ...place, turns: 0, usage: NOTHING, startedAt: null, endedAt: null, worked: 0, ...told };
}

/** Ten thousand tasks in a hundred specs. */
export function crowd(): Task[] {
  return Array.from({ length: 10_000 }, (_, at) => task(`${Math.floor(at / 100)}/${at % 100}`));
}

export function spec(id: string, told: Partial<Spec> = {}): Spec {
  const counts = { total: 0, done: 0, failed: 0, blocked: 0, skipped: 0, pending: 0 };
  const path = `specs/${id}.md`;
  return { id, title: `Spec ${id}`, path, uri: `${ROOT}/${path}`, status: "ready", dependsOn: [], requirements: [], counts, ...told };
}

export function session(id: string, told: Partial<Session> = {}): Session {
  const links = { previousId: null, number: 1, parentId: null, parentCallId: null, workedBefore: 0 };
  return { id, agentId: "a1", role: "executor", model: "m", taskId: null, startedAt: AT, turns: 0, usage: NOTHING, outcome: "", ...links, ...told };
}

export function approval(id: string, told: Partial<Approval> = {}): Approval {
  return { id, kind: "command", subject: "make test", purpose: "A command", agentId: null, taskId: null, askedAt: AT, choices: ["Allow once", "Deny"], ...told };
}

const order = { groupStates: [], idle: false, doubtful: false };
/** Some of those that the server names. */
const ORDERS: TaskOrder[] = [
  { ...order, title: "Verify again", method: "specloom/run/start", leafStates: ["done"], idle: true, doubtful: true },
  { ...order, title: "Run", method: "specloom/run/start", leafStates: ["ready"], groupStates: ["ready"], idle: true },
  { ...order, title: "Reset", method: "specloom/task/reset", leafStates: ["done", "failed"] },
];

export const AT = "2026-11-21T10:00:00Z";

export function project(told: Partial<ProjectGetResult> = {}): ProjectGetResult {
  const counts = { total: 0, done: 0, failed: 0, blocked: 0, skipped: 0, pending: 0 };
  return {
    id: "p1",
    name: "greeter",
    rootUri: ROOT,
    seq: 10,
    readOnly: false,
    requirements: [],
    specs: [spec("01")],
    tasks: [task("01/1"), task("01/2", { state: "pending", dependsOn: ["01/1"] })],
    taskOrders: ORDERS,
    dependencyGroups: [],
    agents: [],
    sessions: [],
    approvals: [],
    prompts: [],
    run: null,
    work: { seconds: 0, since: null },
    planning: null,
    budget: {},
    today: null,
    usage: NOTHING,
    counts,
    problems: { error: 0, warning: 0, information: 0 },
    ...told,
  };
}

/** An event with the members that all have. */
export function event<T extends WireEvent["type"]>(seq: number, type: T, told: object = {}): Extract<WireEvent, { type: T }> {
  const base = { seq, at: AT, projectId: "p1", actor: "engine", clientId: null, agentId: null, commandId: null };
  return { ...base, type, ...told } as unknown as Extract<WireEvent, { type: T }>;
}

/** A connection without a server: what it would tell is told by the test. */
export class Told implements Source {
  listener: ProjectListener = {};
  changed = (): void => undefined;
  answers: (() => ProjectGetResult | Promise<ProjectGetResult>)[] = [];
  asked = 0;
  roots = [ROOT];
  connected = true;
  listen = (listener: ProjectListener): { dispose: () => void } => {
    this.listener = listener;
    return { dispose: () => undefined };
  };
  onChanged = (watcher: () => void): { dispose: () => void } => {
    this.changed = watcher;
    return { dispose: () => undefined };
  };
  rootOf = (): string => ROOT;
  request = (async () => {
    this.asked += 1;
    return this.answers.shift()?.();
  }) as unknown as Source["request"];
}
