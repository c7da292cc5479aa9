// What the tree shows: one row of each thing of a project, as plain data. Refuses to know the editor's own types.

import type { Approval, Session, Spec, Task } from "../protocol.gen";
import type { Projection } from "../projection";
import { cost, elapsed, line, percent, runWord, some, stateWord } from "../texts";

/** One row's identity: where it belongs and what it is. Compared by `id`. */
export type Node =
  | { kind: "project"; id: string; root: string }
  | { kind: "approval"; id: string; root: string; key: string }
  | { kind: "spec" | "task" | "session"; id: string; root: string; key: string }
  | { kind: "agents"; id: string; root: string };

/** How a row looks and what can be done with it. */
export interface Row {
  label: string;
  description: string;
  tooltip: string;
  /** A product icon and, if any, the colour that themes give it. */
  icon: string;
  color: string | undefined;
  /** For `when` clauses of menus. */
  context: string;
  /** `open`: shown with what is below it; `closed`: on demand; `none`: nothing is below it. */
  folding: "open" | "closed" | "none";
  /** For screen readers: the whole row in words. */
  spoken: string;
}

export type Filter = "all" | "open" | "running" | "trouble" | "unproven";

/** What each filter is called, in the order of the menu. */
export const FILTERS: Readonly<Record<Filter, string>> = {
  all: "All tasks",
  open: "Not done yet",
  running: "In progress",
  trouble: "Failed or blocked",
  unproven: "Done, but not proven",
};

const ICONS: Readonly<Record<Task["state"], readonly [string, string | undefined]>> = {
  pending: ["circle-outline", "disabledForeground"],
  ready: ["circle-large-outline", undefined],
  in_progress: ["loading~spin", "charts.blue"],
  done: ["pass", "testing.iconPassed"],
  failed: ["error", "testing.iconFailed"],
  blocked: ["circle-slash", "testing.iconErrored"],
  skipped: ["debug-step-over", "testing.iconSkipped"],
};

export const nodeId = {
  project: (root: string): string => `project ${root}`,
  approval: (root: string, key: string): string => `approval ${root} ${key}`,
  spec: (root: string, key: string): string => `spec ${root} ${key}`,
  task: (root: string, key: string): string => `task ${root} ${key}`,
  session: (root: string, key: string): string => `session ${root} ${key}`,
  agents: (root: string): string => `agents ${root}`,
};

export function node<K extends "approval" | "spec" | "task" | "session">(kind: K, root: string, key: string): Node {
  return { kind, id: nodeId[kind](root, key), root, key };
}

/** The rows at the top: what waits for a person first. None where all there is to do is to plan: the view says so then. */
export function top(projects: readonly Projection[]): Node[] {
  if (projects.length === 1 && projects.every(isUntouched)) {
    return [];
  }
  const approvals = projects.flatMap((each) => each.known.approvals.map((one) => node("approval", each.root, one.id)));
  return [...approvals, ...projects.map((each): Node => ({ kind: "project", id: nodeId.project(each.root), root: each.root }))];
}

/** Whether nothing was planned or run yet, nor is being planned. */
export function isUntouched(project: Projection): boolean {
  const { specs, approvals, sessions, planning } = project.known;
  return specs.length + approvals.length + sessions.length === 0 && planning?.state !== "running";
}

export function childrenOf(of: Node, project: Projection, filter: Filter): Node[] {
  switch (of.kind) {
    case "project":
      return [...specsOf(project, filter), ...agentsOf(project)];
    case "spec":
    case "task":
      return project.under(of.key).filter((id) => shown(project, id, filter)).map((id) => node("task", of.root, id));
    case "agents":
      return sessionsShown(project).map((session) => node("session", of.root, session.id));
    case "approval":
    case "session":
      return [];
  }
}

export function parentOf(of: Node, project: Projection): Node | undefined {
  const whole: Node = { kind: "project", id: nodeId.project(of.root), root: of.root };
  switch (of.kind) {
    case "task": {
      const task = project.task(of.key);
      return task && (task.parent === null ? node("spec", of.root, task.specId) : node("task", of.root, task.parent));
    }
    case "spec":
    case "agents":
      return whole;
    case "session":
      return { kind: "agents", id: nodeId.agents(of.root), root: of.root };
    case "approval":
    case "project":
      return undefined;
  }
}

/** The row of a node; `undefined` for what is there no more. */
export function rowOf(of: Node, project: Projection, now: number, filter: Filter): Row | undefined {
  switch (of.kind) {
    case "project":
      return projectRow(project);
    case "agents":
      return agentsRow(project);
    case "approval":
      return found(project.known.approvals.find((each) => each.id === of.key), approvalRow);
    case "spec":
      return found(project.spec(of.key), (spec) => specRow(spec, filter));
    case "task":
      return found(project.task(of.key), (task) => taskRow(task, project, now));
    case "session":
      return found(project.known.sessions.find((each) => each.id === of.key), (each) => sessionRow(each, now));
  }
}

function found<T>(item: T | undefined, row: (item: T) => Row): Row | undefined {
  return item === undefined ? undefined : row(item);
}

function specsOf(project: Projection, filter: Filter): Node[] {
  const specs = project.known.specs;
  const kept = filter === "all" ? specs : specs.filter((spec) => project.under(spec.id).some((id) => shown(project, id, filter)));
  return kept.map((spec) => node("spec", project.root, spec.id));
}

function agentsOf(project: Projection): Node[] {
  const any = sessionsShown(project).length > 0;
  return any ? [{ kind: "agents", id: nodeId.agents(project.root), root: project.root }] : [];
}

/** Open sessions, and the newest others; those of long histories are in the log. */
const OLD_SESSIONS = 10;

function sessionsShown(project: Projection): readonly Session[] {
  const open = project.known.sessions.filter((each) => each.outcome === "");
  const over = project.known.sessions.filter((each) => each.outcome !== "").slice(-OLD_SESSIONS);
  return [...open.reverse(), ...over.reverse()];
}

function shown(project: Projection, id: string, filter: Filter): boolean {
  const task = project.task(id);
  if (task === undefined || filter === "all") {
    return task !== undefined;
  }
  return task.isLeaf ? passes(task, filter) : project.under(id).some((below) => shown(project, below, filter));
}

function passes(task: Task, filter: Exclude<Filter, "all">): boolean {
  switch (filter) {
    case "open":
      return task.state !== "done" && task.state !== "skipped";
    case "running":
      return task.state === "in_progress";
    case "trouble":
      return task.state === "failed" || task.state === "blocked";
    case "unproven":
      return task.state === "done" && (!task.proven || task.stale.length > 0);
  }
}

/** Nothing here may change with every turn: the editor asks anew for all that is open below a row that changes. */
function projectRow(project: Projection): Row {
  const { name, run, counts, planning, readOnly } = project.known;
  const at = run === null || run.state === "finished" ? "" : runWord(run);
  const plan = planning?.state === "running" ? "planning" : "";
  const done = counts.total > 0 ? `${counts.done}/${counts.total} · ${percent(counts)} %` : "";
  const why = run !== null && run.state !== "running" && run.reason !== "" ? line(run.reason, 80) : "";
  const held = readOnly ? "hosted by another process" : "";
  const description = joined([at, plan, done, why, held]);
  const context = `project.${run === null || run.state === "finished" ? "idle" : run.state}`;
  const tooltip = joined([description, problemsOf(project)], "\n");
  const spoken = `Project ${name}, ${description}`;
  return { label: name, description, tooltip, icon: "project", color: undefined, context, folding: "open", spoken };
}

function problemsOf(project: Projection): string {
  const { error, warning } = project.known.problems;
  return joined([error ? some(error, "error") : "", warning ? some(warning, "warning") : ""], ", ");
}

function specRow(spec: Spec, filter: Filter): Row {
  const { counts, status } = spec;
  const done = counts.total > 0 ? `${counts.done}/${counts.total}` : "";
  const trouble = joined([counts.failed ? `${counts.failed} failed` : "", counts.blocked ? `${counts.blocked} blocked` : ""]);
  const writing = status === "generating" ? "being written" : "";
  const description = joined([writing, done, trouble]);
  const [icon, color] = specIcon(spec);
  const needs = spec.dependsOn.length > 0 ? `Depends on ${spec.dependsOn.join(", ")}` : "";
  const serves = spec.requirements.length > 0 ? `Serves ${spec.requirements.join(", ")}` : "";
  const tooltip = joined([`${spec.id} ${spec.title}`, spec.path, needs, serves], "\n");
  const folding = filter === "all" && counts.total > 0 && counts.done + counts.skipped === counts.total ? "closed" : "open";
  const context = `spec.${status}`;
  const label = `${spec.id} ${spec.title}`;
  return { label, description, tooltip, icon, color, context, folding, spoken: `Spec ${label}, ${description}` };
}

function specIcon(spec: Spec): readonly [string, string | undefined] {
  const { counts } = spec;
  if (spec.status === "generating") {
    return ["loading~spin", "charts.blue"];
  }
  if (counts.failed + counts.blocked > 0) {
    return ["warning", "testing.iconFailed"];
  }
  return counts.total > 0 && counts.pending === 0 ? ["pass", "testing.iconPassed"] : ["book", undefined];
}

function taskRow(task: Task, project: Projection, now: number): Row {
  const live = task.state === "in_progress" && task.startedAt !== null;
  const time = live ? elapsed(task.startedAt ?? "", now) : "";
  const attempt = task.attempts > 1 || (live && task.attempts > 0) ? `attempt ${task.attempts}` : "";
  const word = task.state === "done" && task.proven && task.stale.length === 0 ? "" : notable(task);
  const waits = task.state === "pending" && task.isLeaf ? waitsFor(task, project) : "";
  const why = task.reason !== "" ? line(task.reason, 100) : "";
  const description = joined([word, attempt, time, task.isLeaf ? cost(task.usage) : "", waits, why]);
  const [icon, color] = task.state === "done" && task.isLeaf ? doneIcon(task) : ICONS[task.state];
  const label = `${task.number} ${task.title}`;
  const spoken = joined([`Task ${label}`, stateWord(task), attempt, waits, task.reason], ", ");
  const context = `task.${task.state}${task.isLeaf ? ".leaf" : ".group"}${task.state === "done" ? ".proof" : ""}`;
  return { label, description, tooltip: taskTooltip(task), icon, color, context, folding: task.isLeaf ? "none" : "open", spoken };
}

/** States that an icon alone does not tell. */
function notable(task: Task): string {
  const told = task.state === "done" || task.state === "failed" || task.state === "blocked" || task.state === "skipped";
  return joined([told && task.isLeaf ? stateWord(task) : "", task.optional ? "optional" : ""]);
}

function doneIcon(task: Task): readonly [string, string | undefined] {
  if (task.stale.length > 0) {
    return ["history", "testing.iconQueued"];
  }
  return task.proven ? ["pass-filled", "testing.iconPassed"] : ["pass", "testing.iconPassed"];
}

const MOST_NAMED = 3;

/** What is left to be done before, by the tasks that the server names; groups of many are counted. */
function waitsFor(task: Task, project: Projection): string {
  const over = (id: string): boolean => ["done", "skipped"].includes(project.task(id)?.state ?? "pending");
  const left = task.dependsOn.filter((id) => !over(id));
  const more = left.length - MOST_NAMED;
  const named = left.slice(0, MOST_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
  const groups = task.dependsOnGroups.length > 0 && left.length === 0 ? "other specs" : "";
  const what = joined([named, groups]);
  return what === "" ? "" : `waits for ${what}`;
}

function taskTooltip(task: Task): string {
  const stale = task.stale.length > 0 ? `Changed since the proof: ${task.stale.join(", ")}` : "";
  const verify = task.verify.length > 0 ? `Verified by ${task.verify.join("; ")}` : "";
  const serves = task.requirements.length > 0 ? `Serves ${task.requirements.join(", ")}` : "";
  const took = task.startedAt && task.endedAt ? `Took ${elapsed(task.startedAt, task.endedAt)}, ${some(task.turns, "turn")}` : "";
  return joined([`${task.id} ${task.title}`, stateWord(task), task.reason, stale, serves, verify, took], "\n");
}

function approvalRow(approval: Approval): Row {
  const about = approval.taskId ?? "";
  const label = line(approval.subject, 120) || line(approval.purpose, 120);
  const icon = { command: "terminal", proposal: "shield", question: "question", budget: "credit-card" }[approval.kind];
  const description = joined([about, line(approval.purpose, 80)]);
  const tooltip = `${approval.purpose}\n\n${approval.subject}`;
  const context = approval.choices.length > 0 ? "approval.choice" : "approval.words";
  const spoken = `Waits for you: ${approval.purpose}: ${label}`;
  return { label, description, tooltip, icon, color: "notificationsWarningIcon.foreground", context, folding: "none", spoken };
}

function agentsRow(project: Projection): Row {
  const open = project.known.agents.length;
  const description = open > 0 ? `${open} at work` : "";
  const tooltip = "Agents and their sessions, the newest first";
  const looks = { tooltip, icon: "organization", color: undefined, context: "agents", folding: "closed" as const };
  return { label: "Agents", description, ...looks, spoken: `Agents, ${description || "none at work"}` };
}

function sessionRow(session: Session, now: number): Row {
  const open = session.outcome === "";
  const nth = session.number > 1 ? `session ${session.number}` : "";
  const time = open ? elapsed(session.startedAt, now) : session.outcome;
  const description = joined([session.taskId ?? "", nth, some(session.turns, "turn"), cost(session.usage), time]);
  const icon = open ? "loading~spin" : session.outcome === "rotated" ? "arrow-swap" : "comment-discussion";
  const tooltip = joined([`${session.role}, ${session.model}`, session.id, `since ${session.startedAt}`], "\n");
  const [color, context] = open ? ["charts.blue", "session.open"] : [undefined, "session.over"];
  const spoken = `${session.role}, ${description}`;
  return { label: session.role, description, tooltip, icon, color, context: context ?? "", folding: "none", spoken };
}

function joined(parts: readonly string[], by = " · "): string {
  return parts.filter((part) => part !== "").join(by);
}
