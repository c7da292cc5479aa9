// One project as it is known: a snapshot, and the events after it folded in. Refuses to work out what documents say
// and what the server counts in them: such events make it stale, and whoever owns it asks for another snapshot.

import { Graph, counted } from "./graph";
import type { Agent, Approval, Counts, ProjectGetResult, Prompt, Run, Session, Spec, Task, Usage, WireEvent, Work } from "./protocol.gen";
import { moved, proved } from "./folds";
import { carried, clocked, steeredWork, withWork } from "./work";

/** What became different. */
export interface Change {
  /** Ids of tasks and specs whose own line changed. */
  ids: Set<string>;
  /** There are other specs or tasks now, or in another order, or all of them take other orders. */
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
  private graph = new Graph(new Map(), [], { entered: () => undefined, touched: () => undefined });
  /** What the event that is being folded changes. */
  private change = nothing();

  constructor(
    readonly root: string,
    snapshot: ProjectGetResult,
  ) {
    this.data = withWork(snapshot);
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
    const [tasks, specs, idle] = [this.tasks, this.specs, this.isIdle];
    change.structure = !sameOrder(this.data, snapshot);
    this.data = withWork(snapshot);
    this.index();
    compare(tasks, this.tasks, change.ids);
    compare(specs, this.specs, change.ids);
    change.around = true;
    change.structure ||= this.isIdle !== idle;
    return change;
  }

  /** One event after what is known. */
  apply(event: WireEvent): Change {
    const change = (this.change = nothing());
    const idle = this.isIdle;
    this.data.seq = Math.max(this.data.seq, event.seq);
    this.data.work = clocked(this.data.work, event);
    if (!this.aboutTasks(event, change) && !this.aboutWork(event, change)) {
      this.aboutPeople(event, change);
    }
    change.structure = this.isIdle !== idle;
    return change;
  }

  /** Whether a run is going on, paused or not. */
  get isActive(): boolean {
    return this.data.run !== null && this.data.run.state !== "finished";
  }

  /** Whether neither a run nor a plan is going on, so that one can begin. */
  get isIdle(): boolean {
    return !this.isActive && this.data.planning?.state !== "running";
  }

  private aboutTasks(event: WireEvent, change: Change): boolean {
    const known = "taskId" in event && typeof event.taskId === "string" ? this.tasks.get(event.taskId) : undefined;
    const told = moved(event, known) ?? proved(event, known);
    if (told === undefined) {
      return false;
    }
    if (known === undefined || (told.state !== undefined && !known.isLeaf)) {
      change.stale = true;
      return true;
    }
    const { state, ...members } = told;
    const worked = carried(known.worked, known.state === "in_progress", (state ?? known.state) === "in_progress", this.data.work);
    this.put({ ...known, ...members, worked }, change);
    if (state !== undefined) {
      this.graph.move({ ...known, ...members, worked }, state);
    }
    // What the server counts of problems is asked for when there is time: a run ends with another snapshot.
    change.stale = !this.isActive;
    return true;
  }

  private aboutWork(event: WireEvent, change: Change): boolean {
    switch (event.type) {
      case "sessionStarted":
        this.begin(started(event, this.data.work), change);
        return true;
      case "turnFinished":
      case "turnFailed":
        this.used(event, change);
        return true;
      case "sessionEnded":
        this.session(event.sessionId, { outcome: event.outcome }, change);
        this.data.agents = this.data.agents.filter((each) => each.sessionId !== event.sessionId);
        return true;
      case "runStarted":
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
        change.stale = STRUCTURAL.has(event.type) && !("boxesOnly" in event && event.boxesOnly);
    }
  }

  private run(event: RunEvent, change: Change): void {
    const run = this.data.run;
    if (event.type === "runStarted") {
      this.data.run = begun(event, this.data.work);
    } else if (run !== null && run.id === event.runId) {
      const worked = carried(run.worked, this.isActive, event.type !== "runFinished", this.data.work);
      this.data.run = { ...run, ...steered(event), worked };
    }
    this.data.work = steeredWork(this.data.work, this.data.run, event);
    change.around = true;
    // What is begun looks otherwise while the run is paused.
    this.tasks.forEach((task) => task.state === "in_progress" && change.ids.add(task.id));
    // What the day may still use, and the problems that are left.
    change.stale = event.type === "runFinished";
  }

  private begin(session: Session, change: Change): void {
    this.data.sessions = [...this.data.sessions, session];
    if (session.parentId === null) {
      const { id, agentId, role, taskId } = session;
      const agent: Agent = { id: agentId, role, taskId, sessionId: id, turns: 0 };
      this.data.agents = [...this.data.agents, agent];
    }
    change.around = true;
  }

  /** A turn that failed costs too, and is asked again. */
  private used({ type, sessionId, turn, usage }: Extract<WireEvent, { type: "turnFinished" | "turnFailed" }>, change: Change): void {
    const turns = type === "turnFinished" ? 1 : 0;
    this.data.usage = sum(this.data.usage, usage);
    if (this.data.run !== null && this.isActive) {
      this.data.run = { ...this.data.run, turns: this.data.run.turns + turns, usage: sum(this.data.run.usage, usage) };
    }
    const session = this.data.sessions.find((each) => each.id === sessionId);
    if (session === undefined) {
      change.stale = true;
      return;
    }
    if (this.data.planning !== null && session.role === "planner") {
      const { planning } = this.data;
      this.data.planning = { ...planning, turns: planning.turns + turns, usage: sum(planning.usage, usage) };
    }
    const told = turns > 0 ? { turns: turn } : {};
    this.session(sessionId, { ...told, usage: sum(session.usage, usage) }, change);
    this.data.agents = this.data.agents.map((each) => (each.sessionId === sessionId ? { ...each, ...told } : each));
    const task = session.taskId === null ? undefined : this.tasks.get(session.taskId);
    if (task !== undefined) {
      this.put({ ...task, turns: task.turns + turns, usage: sum(task.usage, usage) }, change);
    }
  }

  private session(id: string, told: Partial<Session>, change: Change): void {
    this.data.sessions = this.data.sessions.map((each) => (each.id === id ? { ...each, ...told } : each));
    change.around = true;
  }

  private put(task: Task, change: Change): void {
    this.tasks.set(task.id, task);
    change.ids.add(task.id);
  }

  private entered(task: Task, state: Task["state"]): void {
    const known = this.tasks.get(task.id) ?? task;
    if (known.state === state) {
      return;
    }
    this.put({ ...known, state }, this.change);
    if (known.isLeaf && !known.optional) {
      const spec = this.specs.get(known.specId);
      if (spec !== undefined) {
        this.specs.set(spec.id, { ...spec, counts: moving(spec.counts, known.state, state) });
        this.change.ids.add(spec.id);
      }
      this.data.counts = moving(this.data.counts, known.state, state);
      this.change.around = true;
    }
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
    const touched = (id: string): unknown => this.change.ids.add(id);
    const followed = { entered: (task: Task, state: Task["state"]) => this.entered(task, state), touched };
    this.graph = new Graph(this.tasks, this.data.dependencyGroups, followed);
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
  "budgetExtended",
  "planStarted",
  "outlineAccepted",
  "specGenerating",
  "specWritten",
  "planFinished",
  "planFailed",
] as const);

type RunEvent = Extract<WireEvent, { type: "runStarted" | "runPausing" | "runPaused" | "runResumed" | "runCancelling" | "runFinished" }>;

function begun({ runId: id, scope, budget, unattended, at }: Extract<RunEvent, { type: "runStarted" }>, work: Work): Run {
  const spent = { usd: 0, unpriced: 0, tokens: 0, turns: 0, minutes: 0 };
  const fresh = { state: "running" as const, reason: "", cause: "other" as const, pauseAfter: null, outcome: null, turns: 0, endedAt: null };
  return { id, scope, budget, unattended, ...fresh, usage: none(), spent, startedAt: at, worked: -work.seconds };
}

function steered(event: Exclude<RunEvent, { type: "runStarted" }>): Partial<Run> {
  switch (event.type) {
    case "runPausing":
      return { state: "pausing", reason: event.reason, pauseAfter: event.after };
    case "runPaused":
      return { state: "paused", reason: event.reason, cause: event.cause, pauseAfter: null };
    case "runResumed":
      return { state: "running", reason: "", cause: "other", pauseAfter: null };
    case "runCancelling":
      return { state: "cancelling", pauseAfter: null };
    case "runFinished":
      return { state: "finished", reason: event.reason, outcome: event.outcome, pauseAfter: null, endedAt: event.at };
  }
}

function moving(counts: Counts, from: Task["state"], to: Task["state"]): Counts {
  const [before, now] = [counted(from), counted(to)];
  const less = { ...counts, [before]: counts[before] - 1 };
  return { ...less, [now]: less[now] + 1 };
}

function asked(event: Extract<WireEvent, { type: "approvalAsked" }>): Approval {
  const { kind, subject, purpose, agentId, taskId, choices } = event;
  return { id: event.approvalId, kind, subject, purpose, agentId, taskId, choices, askedAt: event.at };
}

function queued(event: Extract<WireEvent, { type: "promptQueued" }>): Prompt {
  return { id: event.promptId, agentId: event.toAgentId, text: event.text, queuedAt: event.at };
}

function started(event: Extract<WireEvent, { type: "sessionStarted" }>, work: Work): Session {
  const { role, model, taskId, previousId, number, parentId, parentCallId } = event;
  const places = { taskId, previousId, number, parentId, parentCallId };
  const begun = { startedAt: event.at, turns: 0, usage: none(), outcome: "", workedBefore: work.seconds };
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
