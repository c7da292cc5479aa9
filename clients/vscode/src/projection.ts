// One project as it is known: a snapshot, and over it what events say outright. Refuses to work out what the server
// decides (who is ready, what counts): such events make it stale, and whoever owns it asks for another snapshot.

import type { Approval, ProjectGetResult, Prompt, Session, Spec, Task, Usage, WireEvent } from "./protocol.gen";

/** What became different. */
export interface Change {
  /** Ids of tasks and specs whose own line changed. */
  ids: Set<string>;
  /** There are other specs or tasks now, or in another order. */
  structure: boolean;
  /** Approvals, agents, run, plan, prompts or sums changed. */
  around: boolean;
  /** Only another snapshot tells the rest. */
  stale: boolean;
}

export class Projection {
  private data: ProjectGetResult;
  private tasks = new Map<string, Task>();
  private specs = new Map<string, Spec>();
  private below = new Map<string, string[]>();

  constructor(
    readonly root: string,
    snapshot: ProjectGetResult,
  ) {
    this.data = snapshot;
    this.index();
  }

  get known(): Readonly<ProjectGetResult> {
    return this.data;
  }

  get seq(): number {
    return this.data.seq;
  }

  task(id: string): Task | undefined {
    return this.tasks.get(id);
  }

  spec(id: string): Spec | undefined {
    return this.specs.get(id);
  }

  /** Ids of the tasks right below a spec or a task, in their order. */
  under(id: string): readonly string[] {
    return this.below.get(id) ?? [];
  }

  /** Another snapshot of the same log; what it says is compared. */
  replace(snapshot: ProjectGetResult): Change {
    const change = nothing();
    const [tasks, specs] = [this.tasks, this.specs];
    change.structure = !sameOrder(this.data, snapshot);
    this.data = snapshot;
    this.index();
    compare(tasks, this.tasks, change.ids);
    compare(specs, this.specs, change.ids);
    change.around = true;
    return change;
  }

  /** One event after what is known. */
  apply(event: WireEvent): Change {
    const change = nothing();
    this.data.seq = Math.max(this.data.seq, event.seq);
    if (!this.aboutTasks(event, change) && !this.aboutWork(event, change)) {
      this.aboutPeople(event, change);
    }
    return change;
  }

  private aboutTasks(event: WireEvent, change: Change): boolean {
    switch (event.type) {
      case "taskStarted":
        this.enter(event.taskId, { state: "in_progress", reason: "", startedAt: event.at, endedAt: null, attempts: event.number }, change);
        return true;
      case "taskDone":
        this.enter(event.taskId, { state: "done", reason: "", proven: event.proven, stale: [], endedAt: event.at }, change);
        return true;
      case "taskFailed":
      case "taskBlocked":
      case "taskSkipped":
        this.enter(event.taskId, { state: stateAfter(event.type), reason: event.reason, endedAt: event.at }, change);
        return true;
      case "taskReleased":
      case "taskReset":
      case "taskRetried":
      case "taskUnblocked":
        this.enter(event.taskId, { state: "pending", reason: "", endedAt: null }, change);
        return true;
      case "proofStale":
        this.enter(event.taskId, { stale: event.paths }, change);
        return true;
      case "proofRenewed":
        this.enter(event.taskId, { stale: [] }, change);
        return true;
      default:
        return false;
    }
  }

  private aboutWork(event: WireEvent, change: Change): boolean {
    switch (event.type) {
      case "sessionStarted":
        this.data.sessions = [...this.data.sessions, started(event)];
        change.around = change.stale = true;
        return true;
      case "turnFinished":
      case "turnFailed":
        this.used(event.sessionId, event.usage, change);
        return true;
      case "sessionEnded":
        this.session(event.sessionId, { outcome: event.outcome }, change);
        change.stale = true;
        return true;
      case "runPausing":
      case "runPaused":
      case "runResumed":
      case "runCancelling":
      case "runFinished":
        this.run(event, change);
        return true;
      default:
        return false;
    }
  }

  private aboutPeople(event: WireEvent, change: Change): void {
    switch (event.type) {
      case "approvalAsked":
        this.data.approvals = [...this.data.approvals, asked(event)];
        change.around = true;
        break;
      case "approvalAnswered":
        this.data.approvals = this.data.approvals.filter((each) => each.id !== event.approvalId);
        change.around = true;
        break;
      case "promptQueued":
        this.data.prompts = [...this.data.prompts, queued(event)];
        change.around = true;
        break;
      case "promptWithdrawn":
      case "promptDelivered":
        this.data.prompts = this.data.prompts.filter((each) => each.id !== event.promptId);
        change.around = true;
        break;
      default:
        change.stale = STRUCTURAL.has(event.type);
    }
  }

  private run(event: Extract<WireEvent, { runId: string | null }>, change: Change): void {
    const run = this.data.run;
    if (run !== null && run.id === event.runId) {
      const told = "reason" in event ? { reason: event.reason } : { reason: "" };
      const cause = event.type === "runPaused" ? event.cause : "other";
      const outcome = event.type === "runFinished" ? event.outcome : null;
      const endedAt = event.type === "runFinished" ? event.at : null;
      this.data.run = { ...run, ...told, cause, outcome, endedAt, state: RUN_STATES[event.type] ?? run.state };
    }
    change.around = change.stale = true;
  }

  private used(sessionId: string, usage: Usage, change: Change): void {
    const session = this.data.sessions.find((each) => each.id === sessionId);
    if (session === undefined) {
      change.stale = true;
      return;
    }
    this.session(sessionId, { turns: session.turns + 1, usage: sum(session.usage, usage) }, change);
    const task = session.taskId === null ? undefined : this.tasks.get(session.taskId);
    if (task !== undefined) {
      this.put({ ...task, turns: task.turns + 1, usage: sum(task.usage, usage) }, change);
    }
    if (this.data.run !== null && this.data.run.outcome === null) {
      this.data.run = { ...this.data.run, turns: this.data.run.turns + 1, usage: sum(this.data.run.usage, usage) };
    }
    this.data.usage = sum(this.data.usage, usage);
  }

  private session(id: string, told: Partial<Session>, change: Change): void {
    this.data.sessions = this.data.sessions.map((each) => (each.id === id ? { ...each, ...told } : each));
    change.around = true;
  }

  private enter(id: string, told: Partial<Task>, change: Change): void {
    const task = this.tasks.get(id);
    if (task !== undefined) {
      this.put({ ...task, ...told }, change);
    }
    change.stale = true;
  }

  private put(task: Task, change: Change): void {
    this.tasks.set(task.id, task);
    change.ids.add(task.id);
  }

  private index(): void {
    this.tasks = new Map(this.data.tasks.map((task) => [task.id, task]));
    this.specs = new Map(this.data.specs.map((spec) => [spec.id, spec]));
    this.below = new Map();
    for (const task of this.data.tasks) {
      const above = task.parent ?? task.specId;
      const list = this.below.get(above);
      if (list === undefined) {
        this.below.set(above, [task.id]);
      } else {
        list.push(task.id);
      }
    }
  }
}

/** Events after which there may be other documents, runs or plans. */
const STRUCTURAL: ReadonlySet<WireEvent["type"]> = new Set([
  "projectOpened",
  "requirementsRead",
  "requirementsRemoved",
  "specRead",
  "specRemoved",
  "settingsChanged",
  "runStarted",
  "budgetExtended",
  "planStarted",
  "outlineAccepted",
  "specGenerating",
  "specWritten",
  "planFinished",
  "planFailed",
] as const);

const RUN_STATES: Partial<Record<WireEvent["type"], "running" | "pausing" | "paused" | "cancelling" | "finished">> = {
  runPausing: "pausing",
  runPaused: "paused",
  runResumed: "running",
  runCancelling: "cancelling",
  runFinished: "finished",
};

function stateAfter(type: "taskFailed" | "taskBlocked" | "taskSkipped"): Task["state"] {
  return type === "taskFailed" ? "failed" : type === "taskBlocked" ? "blocked" : "skipped";
}

function asked(event: Extract<WireEvent, { type: "approvalAsked" }>): Approval {
  const { kind, subject, purpose, agentId, taskId, choices } = event;
  return { id: event.approvalId, kind, subject, purpose, agentId, taskId, choices, askedAt: event.at };
}

function queued(event: Extract<WireEvent, { type: "promptQueued" }>): Prompt {
  return { id: event.promptId, agentId: event.toAgentId, text: event.text, queuedAt: event.at };
}

function started(event: Extract<WireEvent, { type: "sessionStarted" }>): Session {
  const { role, model, taskId, previousId, number, parentId, parentCallId } = event;
  const places = { taskId, previousId, number, parentId, parentCallId };
  const begun = { startedAt: event.at, turns: 0, usage: none(), outcome: "" };
  return { id: event.sessionId, agentId: event.agentId ?? "", role, model, ...places, ...begun };
}

function nothing(): Change {
  return { ids: new Set(), structure: false, around: false, stale: false };
}

function none(): Usage {
  return { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, costUsd: 0 };
}

/** A sum whose price is unknown where that of a part is. */
export function sum(one: Usage, other: Usage): Usage {
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    cacheRead: one.cacheRead + other.cacheRead,
    cacheWrite: one.cacheWrite + other.cacheWrite,
    costUsd: one.costUsd === null || other.costUsd === null ? null : one.costUsd + other.costUsd,
  };
}

function sameOrder(one: ProjectGetResult, other: ProjectGetResult): boolean {
  const places = (project: ProjectGetResult): string[] => [
    ...project.specs.map((spec) => spec.id),
    ...project.tasks.map((task) => `${task.parent ?? task.specId} ${task.id}`),
  ];
  const [before, now] = [places(one), places(other)];
  return before.length === now.length && before.every((place, at) => place === now[at]);
}

function compare<T extends { id: string }>(before: Map<string, T>, now: Map<string, T>, ids: Set<string>): void {
  for (const [id, item] of now) {
    const old = before.get(id);
    if (old !== undefined && old !== item && JSON.stringify(old) !== JSON.stringify(item)) {
      ids.add(id);
    }
  }
}
