// What an event says of the task that it is about, but for what follows for others. Refuses to know any other task.

import type { Evidence, Task, WireEvent } from "./protocol.gen";

/** What an event about a task's state tells of the task itself. */
export function moved(event: WireEvent, task: Task | undefined): Partial<Task> | undefined {
  const cleared = { reason: "", cause: null };
  switch (event.type) {
    case "taskStarted": {
      const startedAt = event.number > 1 ? (task?.startedAt ?? null) : event.at;
      return { state: "in_progress", ...cleared, agentId: event.agentId, attempts: event.number, startedAt, endedAt: null };
    }
    case "taskReleased":
    case "attemptFailed":
      return { state: "pending", agentId: null };
    case "taskDone":
      return { state: "done", agentId: null, reason: "", outdated: [], ...resting(event) };
    case "taskFailed":
      return { state: "failed", agentId: null, reason: event.reason, ...undoubted(task), endedAt: event.at };
    case "taskBlocked":
      return { state: "blocked", agentId: null, reason: event.reason, cause: event.cause };
    case "taskSkipped":
      return { state: "skipped", agentId: null, reason: event.reason, cause: null };
    case "taskUnblocked":
      return { state: "pending", agentId: null, ...cleared };
    case "taskRetried":
      return { state: "pending", agentId: null, ...cleared, attempts: 0 };
    case "taskReset": {
      const unproven = { proven: false, wasProven: false, verifiable: false, stale: [], outdated: [] };
      return { state: "pending", agentId: null, ...cleared, attempts: 0, ...unproven, startedAt: null, endedAt: null };
    }
    default:
      return undefined;
  }
}

/** What an event about a proof tells of its task. */
export function proved(event: WireEvent, task: Task | undefined): Partial<Task> | undefined {
  switch (event.type) {
    case "proofStale":
      return { stale: event.paths, outdated: event.requirements, proven: task?.wasProven === true && event.paths.length === 0 };
    case "proofRenewed":
      return { ...resting(event), ...(event.filesOnly ? {} : { outdated: [] }) };
    default:
      return undefined;
  }
}

/** On this evidence, whose files are as they were. */
function resting({ at, proven, evidence }: { at: string; proven: boolean; evidence: readonly Evidence[] }): Partial<Task> {
  const verifiable = evidence.some((piece) => piece.command !== "");
  return { proven, wasProven: proven, verifiable, stale: [], endedAt: at };
}

/** What proved it once is still on record. */
function undoubted(task: Task | undefined): Partial<Task> {
  return { stale: [], outdated: [], proven: task?.wasProven === true };
}
