// How long runs were at work, and what of that was for one task, as the server counts it: pauses do not count. Refuses
// time zones and clocks that go back.

import type { ProjectGetResult, Run, WireEvent, Work } from "./protocol.gen";

/** What takes time ends with one of these: the server counts up to them alone. */
const TIMED: ReadonlySet<WireEvent["type"]> = new Set([
  "runStarted",
  "runPausing",
  "runPaused",
  "runResumed",
  "runCancelling",
  "runFinished",
  "budgetExtended",
  "taskStarted",
  "taskDone",
  "taskFailed",
  "taskBlocked",
  "taskUnblocked",
  "taskSkipped",
  "taskReset",
  "taskRetried",
  "taskReleased",
  "attemptFailed",
  "proofStale",
  "proofRenewed",
  "turnFinished",
  "turnFailed",
  "toolSettled",
  "sessionEnded",
  "approvalAnswered",
  "checkSettled",
] as const);
/** Seconds that count at most between two of them: a machine that slept, or a question over night, was no work. */
const LONGEST = 3_600;

/** With what an older daemon does not tell; one that was at work when a newer Specloom came is kept. */
export function withWork(told: ProjectGetResult): ProjectGetResult {
  if ((told as Partial<ProjectGetResult>).work !== undefined) {
    return told;
  }
  const tasks = told.tasks.map((task) => ({ ...task, worked: 0 }));
  const sessions = told.sessions.map((each) => ({ ...each, workedBefore: 0 }));
  return { ...told, work: { seconds: 0, since: null }, tasks, sessions, run: told.run && { ...told.run, worked: 0 } };
}

/** Seconds of work of all runs of a project, up to a time in milliseconds since 1970; with its `worked`, of what goes on. */
export function workedBy(work: Work, time: number): number {
  const passed = work.since === null ? 0 : (time - Date.parse(work.since)) / 1_000;
  return work.seconds + Math.min(Math.max(0, passed), LONGEST);
}

/** The same told up to an event, before that is folded in. */
export function clocked(work: Work, event: WireEvent): Work {
  if (work.since === null || !TIMED.has(event.type)) {
    return work;
  }
  // Of a run that was cut off nobody knows how long it went on after its last fact.
  const cutOff = event.type === "runPaused" && event.cause === "interrupted";
  return { seconds: cutOff ? work.seconds : workedBy(work, Date.parse(event.at)), since: event.at };
}

/** The same once the run that the event is about is in another state. */
export function steeredWork(work: Work, run: Run | null, event: WireEvent): Work {
  const works = run !== null && run.state !== "paused" && run.state !== "finished";
  return { seconds: work.seconds, since: works ? event.at : null };
}

/** What of that was for one task or run: its own sum, to which the work that goes on is added while it is `open`. */
export function carried(worked: number, was: boolean, is: boolean, work: Work): number {
  return worked + (was ? work.seconds : 0) - (is ? work.seconds : 0);
}
