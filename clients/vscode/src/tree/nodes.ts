// What the tree shows: one row of each thing of a project, as plain data. Refuses to know the editor's own types.

import type { Approval, Session, Spec, Task } from "../protocol.gen";
import type { Projection } from "../projection";
import { cost, duration, elapsed, line, percent, planWord, runWord, some, stateWord } from "../texts";
import { workedBy } from "../work";

/** One row's identity: where it belongs and what it is. Compared by `id`. */
export type Node =
  | { kind: "project"; id: string; root: string }
  /** `of`: the project's name, where there are several. */
  | { kind: "approval"; id: string; root: string; key: string; of: string }
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

export function node<K extends "spec" | "task" | "session">(kind: K, root: string, key: string): Node {
  return { kind, id: nodeId[kind](root, key), root, key };
}

/** The rows at the top: what waits for a person first. None where all there is to do is to plan: the view says so then. */
export function top(projects: readonly Projection[]): Node[] {
  if (projects.length === 1 && projects.every(isUntouched)) {
    return [];
  }
  const approvals = projects.flatMap((each) => each.known.approvals.map((one) => asking(each, one, projects.length > 1)));
  return [...approvals, ...projects.map((each): Node => ({ kind: "project", id: nodeId.project(each.root), root: each.root }))];
}

function asking({ root, known }: Projection, { id: key }: Approval, several: boolean): Node {
  return { kind: "approval", id: nodeId.approval(root, key), root, key, of: several ? known.name : "" };
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
      return found(project.known.approvals.find((each) => each.id === of.key), (each) => approvalRow(each, of.of));
    case "spec":
      return found(project.spec(of.key), (spec) => specRow(spec, filter, project));
    case "task":
      return found(project.task(of.key), (task) => taskRow(task, project, now));
    case "session":
      return found(project.known.sessions.find((each) => each.id === of.key), (each) => sessionRow(each, project, now));
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
      return task.state === "done" && (!task.proven || isDoubted(task));
  }
}

/** Nothing here may change with every turn: the editor asks anew for all that is open below a row that changes. */
function projectRow(project: Projection): Row {
  const { name, run, counts, planning, readOnly } = project.known;
  const at = run === null || run.state === "finished" ? "" : runWord(run);
  const plan = planning?.state === "running" ? "planning" : planFailure(project);
  const over = run?.state === "finished" && run.outcome !== "completed" ? `run ${runWord(run)}` : "";
  const done = counts.total > 0 ? `${counts.done}/${counts.total} · ${percent(counts)} %` : "";
  const why = run !== null && run.state !== "running" ? line(run.reason, 80) : "";
  const held = readOnly ? "hosted by another process" : "";
  const description = joined([at, plan, done, over, why, held]);
  const after = run?.pauseAfter ? `.${run.pauseAfter}` : "";
  const context = `project.${at !== "" ? `${run?.state}${after}` : planning?.state === "running" ? "planning" : "idle"}`;
  const tooltip = joined([description, problemsOf(project)], "\n");
  const spoken = `Project ${name}, ${description}`;
  return { label: name, description, tooltip, icon: "project", color: undefined, context, folding: "open", spoken };
}

/** Until something else is done. */
function planFailure({ known: { planning, run, sessions } }: Projection): string {
  const isNewest = run === null || sessions.at(-1)?.role === "planner";
  return planning?.state === "failed" && isNewest ? line(planWord(planning), 90) : "";
}

function problemsOf(project: Projection): string {
  const { error, warning } = project.known.problems;
  return joined([error ? some(error, "error") : "", warning ? some(warning, "warning") : ""], ", ");
}

/** Tasks beyond which specs are folded: a person looks for one, and the editor asks for all that is open. */
const MOST_OPEN = 300;

function isCrowded(project: Projection): boolean {
  return project.known.tasks.length > MOST_OPEN;
}

function specRow(spec: Spec, filter: Filter, project: Projection): Row {
  const { counts, status } = spec;
  const done = counts.total > 0 ? `${counts.done}/${counts.total}` : "";
  const trouble = joined([counts.failed ? `${counts.failed} failed` : "", counts.blocked ? `${counts.blocked} blocked` : ""]);
  const writing = status === "generating" ? "being written" : "";
  const description = joined([writing, done, trouble]);
  const [icon, color] = specIcon(spec);
  const needs = spec.dependsOn.length > 0 ? `Depends on ${spec.dependsOn.join(", ")}` : "";
  const serves = spec.requirements.length > 0 ? `Serves ${spec.requirements.join(", ")}` : "";
  const tooltip = joined([`${spec.id} ${spec.title}`, spec.path, needs, serves], "\n");
  const over = filter === "all" && counts.total > 0 && counts.done + counts.skipped === counts.total;
  const folding = over || (isCrowded(project) && (filter === "all" || filter === "open")) ? "closed" : "open";
  const context = `spec.${status}${status === "ready" && project.isIdle ? ".run" : ""}`;
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
  // What has sub-tasks now may have been worked on before it had them.
  const live = task.isLeaf && task.state === "in_progress" && task.startedAt !== null;
  const time = live ? duration(task.worked + workedBy(project.known.work, now)) : "";
  const attempt = task.attempts > 1 || (live && task.attempts > 0) ? `attempt ${task.attempts}` : "";
  const word = task.state === "done" && task.proven && !isDoubted(task) ? "" : notable(task);
  const waits = task.state === "pending" && task.isLeaf ? waitsFor(task, project) : "";
  const why = task.reason !== "" ? line(task.reason, 100) : "";
  const description = joined([word, attempt, time, task.isLeaf ? cost(task.usage) : "", waits, why]);
  const [icon, color] = task.state === "done" && task.isLeaf ? doneIcon(task) : task.state === "in_progress" ? workIcon(isPaused(project)) : ICONS[task.state];
  const label = `${task.number} ${task.title}`;
  const spoken = joined([`Task ${label}`, stateWord(task), attempt, waits, task.reason], ", ");
  const orders = ordersOf(task, project).map((each) => `.${each}`).join("");
  const context = `task.${task.state}${task.isLeaf ? ".leaf" : ".group"}${task.state === "done" ? ".proof" : ""}${orders}`;
  return { label, description, tooltip: taskTooltip(task), icon, color, context, folding: task.isLeaf ? "none" : "open", spoken };
}

/** Of what is begun: nothing turns while the run stands still. */
function workIcon(still: boolean): readonly [string, string] {
  return [still ? "debug-pause" : "loading~spin", "charts.blue"];
}

/** Whether a session does nothing now: a plan goes on while a run is paused. */
function stands(session: Session, project: Projection): boolean {
  return isPaused(project) && !(session.role === "planner" && project.known.planning?.state === "running");
}

function isPaused(project: Projection): boolean {
  return project.known.run?.state === "paused";
}

/** States that an icon alone does not tell. */
function notable(task: Task): string {
  const told = task.state === "done" || task.state === "failed" || task.state === "blocked" || task.state === "skipped";
  return joined([told && task.isLeaf ? stateWord(task) : "", task.optional ? "optional" : ""]);
}

function doneIcon(task: Task): readonly [string, string | undefined] {
  if (isDoubted(task)) {
    return [task.stale.length > 0 ? "history" : "versions", "testing.iconQueued"];
  }
  return task.proven ? ["pass-filled", "testing.iconPassed"] : ["pass", "testing.iconPassed"];
}

/** Whether what it stands on was changed since: files behind its proof, or its requirements. */
function isDoubted(task: Task): boolean {
  return task.stale.length + task.outdated.length > 0;
}

/** What the server would take for a task now, by its own table, in words for menus. */
function ordersOf(task: Task, project: Projection): string[] {
  const isReady = project.spec(task.specId)?.status === "ready";
  const fitting = project.known.taskOrders.filter((order) => {
    const states = task.isLeaf ? order.leafStates : order.groupStates;
    const fits = isReady && states.includes(task.state) && (project.isIdle || !order.idle);
    return fits && (!order.doubtful || (isDoubted(task) && task.verifiable));
  });
  return fitting.map((order) => (order.doubtful ? "verify" : order.method === "specloom/run/start" ? "run" : (order.method.split("/").at(-1) ?? "")));
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
  const outdated = task.outdated.length > 0 ? `Requirements that changed since it was done: ${task.outdated.join(", ")}` : "";
  const verify = task.verify.length > 0 ? `Verified by ${task.verify.join("; ")}` : "";
  const serves = task.requirements.length > 0 ? `Serves ${task.requirements.join(", ")}` : "";
  const took = task.startedAt && task.endedAt ? `Took ${duration(task.worked)}, ${some(task.turns, "turn")}` : "";
  return joined([`${task.id} ${task.title}`, stateWord(task), task.reason, stale, outdated, serves, verify, took], "\n");
}

function approvalRow(approval: Approval, of: string): Row {
  const about = approval.taskId ?? "";
  const label = `${of === "" ? "" : `${of}: `}${line(approval.subject, 120) || line(approval.purpose, 120)}`;
  const icon = { command: "terminal", proposal: "shield", question: "question", budget: "credit-card" }[approval.kind];
  const description = joined([about, line(approval.purpose, 80)]);
  const tooltip = `${approval.purpose}\n\n${approval.subject}`;
  const context = approval.choices.length > 0 ? "approval.choice" : "approval.words";
  const spoken = `Waits for you: ${approval.purpose}: ${label}`;
  return { label, description, tooltip, icon, color: "notificationsWarningIcon.foreground", context, folding: "none", spoken };
}

function agentsRow(project: Projection): Row {
  const open = project.known.sessions.filter((each) => each.outcome === "" && each.parentId === null);
  const word = open.every((each) => stands(each, project)) ? "paused" : "at work";
  const description = open.length > 0 ? `${open.length} ${word}` : "";
  const tooltip = "Agents and their sessions, the newest first";
  const looks = { tooltip, icon: "organization", color: undefined, context: "agents", folding: "closed" as const };
  return { label: "Agents", description, ...looks, spoken: `Agents, ${description || "none at work"}` };
}

function sessionRow(session: Session, project: Projection, now: number): Row {
  const open = session.outcome === "";
  const nth = session.number > 1 ? `session ${session.number}` : "";
  const time = !open ? session.outcome : stands(session, project) ? "paused" : lasts(session, project, now);
  const description = joined([session.taskId ?? "", nth, some(session.turns, "turn"), cost(session.usage), time]);
  const [works, blue] = workIcon(stands(session, project));
  const icon = open ? works : session.outcome === "rotated" ? "arrow-swap" : "comment-discussion";
  const tooltip = joined([`${session.role}, ${session.model}`, session.id, `since ${session.startedAt}`], "\n");
  const [color, context] = open ? [blue, "session.open"] : [undefined, "session.over"];
  const spoken = `${session.role}, ${description}`;
  return { label: session.role, description, tooltip, icon, color, context: context ?? "", folding: "none", spoken };
}

/** Of what is for a task pauses do not count; a plan knows none. */
function lasts(session: Session, project: Projection, now: number): string {
  return session.taskId === null ? elapsed(session.startedAt, now) : duration(workedBy(project.known.work, now) - session.workedBefore);
}

function joined(parts: readonly string[], by = " · "): string {
  return parts.filter((part) => part !== "").join(by);
}
