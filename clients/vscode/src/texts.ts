// How amounts, times and states are told to people. Refuses any state of its own.

import type { Counts, Planning, Run, RunEstimateResult, Span, Task, Usage } from "./protocol.gen";

/** "$0.12"; more digits where there is less; nothing for what is not known. */
export function money(usd: number | null): string {
  if (usd === null) {
    return "";
  }
  return usd === 0 ? "$0" : usd < 0.01 ? "< $0.01" : `$${usd.toFixed(2)}`;
}

/** What a usage cost; its tokens where no price is known. */
export function cost(usage: Usage): string {
  const tokens = usage.input + usage.output + usage.cacheRead + usage.cacheWrite;
  if (tokens === 0) {
    return "";
  }
  return usage.costUsd === null ? `${short(tokens)} tokens` : money(usage.costUsd);
}

/** "950", "12k", "3.4M". */
export function short(count: number): string {
  if (count < 1_000) {
    return String(Math.round(count));
  }
  return count < 999_500 ? `${Math.round(count / 1_000)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

/** "8s", "3m 5s", "2h 10m" between two times; nothing where the clock of one is behind. */
export function elapsed(from: string, to: string | number): string {
  return duration((new Date(to).getTime() - Date.parse(from)) / 1_000);
}

/** The same of so many seconds. */
export function duration(time: number): string {
  const seconds = Math.floor(time);
  if (!(seconds >= 0)) {
    return "";
  }
  if (seconds < 60) {
    return `${seconds}s`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m ${seconds % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

/** The share that needs no more work, in whole percent; 100 only when that is all. */
export function percent(counts: Counts): number {
  return counts.total === 0 ? 0 : Math.floor((100 * (counts.done + counts.skipped)) / counts.total);
}

export function some(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A state as a word; proof beats done. */
export function stateWord(task: Pick<Task, "state" | "proven" | "stale" | "outdated" | "isLeaf">): string {
  if (task.state === "done" && task.isLeaf) {
    const doubt = task.stale.length > 0 ? "done, proof stale" : task.outdated.length > 0 ? "done, outdated" : "";
    return doubt || (task.proven ? "proven" : "done, not proven");
  }
  return task.state.replace("_", " ");
}

const OUTCOMES = { completed: "completed", incomplete: "incomplete", cancelled: "cancelled", fault: "stopped", budget: "out of budget" };

export function outcomeWord(outcome: keyof typeof OUTCOMES): string {
  return OUTCOMES[outcome];
}

export function runWord(run: Pick<Run, "state" | "outcome" | "pauseAfter">): string {
  if (run.state === "finished") {
    return outcomeWord(run.outcome ?? "completed");
  }
  return run.pauseAfter ? `${run.state} after this ${run.pauseAfter}` : run.state;
}

/** How a plan that broke off is told; what a person cancelled has not failed. */
export function planWord({ reason }: Pick<Planning, "reason">): string {
  return reason.startsWith("cancelled") ? `plan ${reason}` : `plan failed: ${reason}`;
}

/** One line, at most `most` characters. */
export function line(text: string, most: number): string {
  const flat = text.replace(/\s+/g, " ").trim();
  return flat.length <= most ? flat : `${flat.slice(0, most - 1)}…`;
}

/** As a notification may show it: the editor makes links of `[…](command:…)`, whoever wrote it, and hides where they lead. */
export function unlinked(text: string): string {
  return text.replace(/\]\((?=\w+:)/g, "] (");
}

/** As a list may show it: the editor draws `$(date)` as an icon, which it mostly is not. */
export function literal(text: string): string {
  return text.replace(/\$\([A-Za-z0-9-]+(~[A-Za-z]+)?\)/g, "\\$&");
}

/** What the server says where a key lacks, with what this editor has for it before all other ways. */
export function keyless(message: string): string {
  const here = "the command Specloom: Set API Key… takes one";
  const told = message.replace(/No API key: (?=\S)/, `No API key: ${here}; or `);
  return told === message ? `${message}; ${here}` : told;
}

/** What a run would probably take, in one line. */
export function estimateLine(estimate: RunEstimateResult): string {
  const price = estimate.costUsd === null ? "price unknown" : `about ${span(estimate.costUsd, money)}`;
  return `${some(estimate.tasks, "task")} · ${price} · ${span(estimate.turns, short)} turns · ${estimate.model}`;
}

/** Why an estimate says what it says. */
export function estimateBasis(estimate: RunEstimateResult): string {
  const basis =
    estimate.basis === "history"
      ? `Rests on ${some(estimate.samples, "task")} done here`
      : "Rests on the shipped examples, as too little was done here yet";
  const planned = estimate.planned ? "" : "; there are no tasks yet, so planning is included and their number is a guess";
  const held = estimate.held > 0 ? `; ${some(estimate.held, "failed or blocked task")} left alone` : "";
  const again = estimate.rechecked > 0 ? `; ${some(estimate.rechecked, "proof")} to verify again` : "";
  const more = estimate.unplanned > 0 ? `; ${some(estimate.unplanned, "spec")} without tasks yet on top` : "";
  return `${basis}${planned}${again}${more}${held}`;
}

function span(range: Span, tell: (amount: number) => string): string {
  const [low, likely, high] = [tell(range.low), tell(range.likely), tell(range.high)];
  return low === high ? likely : `${likely} (${low} to ${high})`;
}
