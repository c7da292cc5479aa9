// Events that are one line of the story, as that line. Refuses detail: documents, the tree and `specloom events` have it.

import type { Scope, WireEvent } from "../protocol.gen";
import { outcomeWord } from "../texts";
import type { Tone } from "./items";

/** A line without its place. */
export interface Line {
  readonly tone: Tone;
  readonly text: string;
  readonly detail: string;
  readonly loud: boolean;
}

/** The line of an event; `null`: it is none. */
export function lineOf(event: WireEvent): Line | null {
  return ofTask(event) ?? ofRun(event) ?? ofSession(event) ?? ofPlan(event) ?? ofPeople(event);
}

function ofTask(event: WireEvent): Line | null {
  switch (event.type) {
    case "taskStarted":
      return loud("plain", `Task ${event.taskId}, attempt ${event.number}`);
    case "taskDone":
      return loud("good", `Task ${event.taskId} is done${event.proven ? ", and proven" : ""}`);
    case "taskFailed":
      return loud("bad", `Task ${event.taskId} failed: ${event.reason}`, event.feedback);
    case "attemptFailed":
      return quiet("bad", `The attempt did not prove task ${event.taskId}: ${event.reason}`, event.feedback);
    case "taskBlocked":
      return loud("wait", `Task ${event.taskId} is blocked: ${event.reason}`);
    case "taskReleased":
      return event.reason === "" ? null : quiet("plain", `Task ${event.taskId} was put back: ${event.reason}`);
    case "proofStale":
      return quiet("wait", `The proof of task ${event.taskId} is stale: ${event.paths.join(", ")}`);
    case "proofRenewed":
      return quiet("good", `Task ${event.taskId} was proven again`);
    default:
      return null;
  }
}

function ofRun(event: WireEvent): Line | null {
  switch (event.type) {
    case "runStarted":
      return loud("plain", `Run of ${scopeName(event.scope)}`);
    case "runPausing":
      return quiet("wait", `Pausing after this ${event.after}`);
    case "runPaused":
      return loud("wait", said("Paused", event.reason));
    case "runResumed":
      return loud("plain", "The run goes on");
    case "runCancelling":
      return quiet("wait", "Cancelling");
    case "runFinished":
      return loud(event.outcome === "completed" ? "good" : "wait", said(`Run ${outcomeWord(event.outcome)}`, event.reason));
    case "headChanged":
      return event.files ? quiet("wait", `Git changed what is checked out: ${event.how}`) : null;
    default:
      return null;
  }
}

function ofSession(event: WireEvent): Line | null {
  switch (event.type) {
    case "turnFailed": {
      if (event.fault === "interrupted") {
        // By a pause that somebody wanted, say: that is nobody's failure.
        return quiet("wait", event.message.charAt(0).toUpperCase() + event.message.slice(1));
      }
      const again = event.retryInS === null ? "" : `; next try in ${Math.round(event.retryInS)} s`;
      return quiet("bad", `No answer: ${event.message}${again}`);
    }
    case "contextCollapsed":
      return quiet("plain", `${event.collapsed} old results became one line each (${tokens(event.tokensBefore)} → ${tokens(event.tokensAfter)} tokens)`);
    case "openFilesWarned":
      return quiet("wait", `${event.files} files are open in this session`);
    case "noProgressSeen":
      return quiet("wait", `The agent goes in circles (${event.circle}, ${event.turns} turns): ${STEPS[event.step]}`);
    case "sessionEnded":
      // Where it ended well its reason is the last thing that the agent said.
      return event.reason === "" || WELL.has(event.outcome) ? null : quiet("plain", said(`Session ${event.outcome}`, event.reason));
    default:
      return null;
  }
}

function ofPlan(event: WireEvent): Line | null {
  switch (event.type) {
    case "planStarted":
      return loud("plain", `Planning ${event.stage} from ${event.path}`);
    case "outlineAccepted":
      return quiet("good", "The outline is accepted");
    case "planRefused":
      return quiet("wait", "Sent back to the planner, to be mended", event.problems.map((one) => `- ${one.message}`).join("\n"));
    case "planFinished":
      return loud("good", `Plan finished: ${event.specIds.join(", ")}`);
    case "planFailed":
      return loud("bad", `Plan failed: ${event.reason}`);
    default:
      return null;
  }
}

function ofPeople(event: WireEvent): Line | null {
  switch (event.type) {
    case "approvalAsked":
      return loud("wait", `Waits for your answer: ${event.purpose === "" ? event.kind : event.purpose}`, event.subject);
    case "approvalAnswered":
      return quiet(event.allowed ? "good" : "bad", said(event.allowed ? "Allowed" : "Not allowed", event.reason), event.rule);
    case "budgetExtended":
      return quiet("plain", `The limit of the ${event.part} was raised`);
    default:
      return null;
  }
}

const WELL: ReadonlySet<string> = new Set(["claimed", "ended", "rotated"]);
const STEPS = { nudge: "it is told so", session: "a fresh session takes over", block: "the task is blocked" };

/** `the project`, `spec 01`, `task 01/2.1`. */
export function scopeName(scope: Scope): string {
  return scope.kind === "project" ? "the project" : `${scope.kind} ${scope.id}`;
}

function tokens(count: number): string {
  return count < 1000 ? `${count}` : `${Math.round(count / 1000)}k`;
}

function said(what: string, reason: string): string {
  return reason === "" ? what : `${what}: ${reason}`;
}

function loud(tone: Tone, text: string, detail = ""): Line {
  return { tone, text, detail, loud: true };
}

function quiet(tone: Tone, text: string, detail = ""): Line {
  return { tone, text, detail, loud: false };
}
