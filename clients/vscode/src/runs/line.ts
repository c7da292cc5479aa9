// The run in the status bar, as text. Refuses the editor's own types.

import type { Projection } from "../projection";
import type { Counts, ProjectGetResult } from "../protocol.gen";
import { cost, duration, line, percent, runWord, some } from "../texts";
import { workedBy } from "../work";

export interface StatusLine {
  text: string;
  tooltip: string;
  /** For screen readers. */
  spoken: string;
  /** Whether it waits for a person. */
  warns: boolean;
}

/** Of the project where work goes on, else where something waits; `undefined`: there is nothing to tell. */
export function statusLine(projects: readonly Projection[], now: number): StatusLine | undefined {
  const all = projects.map((each) => each.known);
  const one = all.find(works) ?? all.find(waits) ?? all.find((each) => each.tasks.length > 0) ?? all[0];
  const questions = all.reduce((sum, each) => sum + each.approvals.length, 0);
  return one && told(one, projects.find((each) => each.known === one), now, { several: projects.length > 1, questions });
}

function works(project: ProjectGetResult): boolean {
  return (project.run !== null && project.run.state !== "finished" && project.run.state !== "paused") || project.planning?.state === "running";
}

function waits(project: ProjectGetResult): boolean {
  return project.approvals.length > 0 || project.run?.state === "paused";
}

/** What is told of all projects. */
interface Around {
  several: boolean;
  questions: number;
}

function told(project: ProjectGetResult, projection: Projection | undefined, now: number, { several, questions }: Around): StatusLine {
  const { run, counts, planning } = project;
  const active = run !== null && run.state !== "finished" ? run : undefined;
  const plan = planning?.state === "running" ? planning : undefined;
  const waiting = questions > 0 ? some(questions, "question") : "";
  const icon = waiting ? "bell-dot" : active ? RUN_ICONS[active.state] : plan ? "loading~spin" : "checklist";
  const at = active ? (taskAt(project, projection) ?? runWord(active)) : plan ? planAt(project) : several ? "" : "Specloom";
  const done = counts.total > 0 ? `${percent(counts)} %` : "";
  const spent = active ? cost(active.usage) : plan ? cost(plan.usage) : "";
  const word = active !== undefined && active.state !== "running" && at !== runWord(active) ? active.state : "";
  const text = joined([`$(${icon}) ${joined([several ? project.name : "", at])}`, word, done, spent, waiting]);
  const lines = [
    several ? project.name : "",
    active ? `Run ${runWord(active)}, ${duration(active.worked + workedBy(project.work, now))}, ${some(active.turns, "turn")}` : plan ? "Planning" : "No run",
    active ? line(active.reason, 300) : "",
    doneLine(counts),
    waiting ? `${waiting} for you` : "",
  ];
  const tooltip = lines.filter((each) => each !== "").join("\n");
  return { text, tooltip, spoken: `Specloom: ${tooltip.replaceAll("\n", ", ")}`, warns: waiting !== "" || active?.state === "paused" };
}

function doneLine(counts: Counts): string {
  const failed = counts.failed > 0 ? `, ${counts.failed} failed` : "";
  const blocked = counts.blocked > 0 ? `, ${counts.blocked} blocked` : "";
  return counts.total === 0 ? "" : `${counts.done} of ${some(counts.total, "task")} done${failed}${blocked}`;
}

const RUN_ICONS = { running: "sync~spin", pausing: "debug-pause", paused: "debug-pause", cancelling: "debug-stop", finished: "check" };

/** The task that is worked on. */
function taskAt(project: ProjectGetResult, projection: Projection | undefined): string | undefined {
  return project.sessions.findLast((each) => each.outcome === "" && each.taskId !== null)?.taskId ?? inProgress(project, projection);
}

function inProgress(project: ProjectGetResult, projection: Projection | undefined): string | undefined {
  return project.tasks.find((task) => task.isLeaf && (projection?.task(task.id) ?? task).state === "in_progress")?.id;
}

function planAt(project: ProjectGetResult): string {
  const writing = project.planning?.writing[0];
  return writing === undefined ? "planning" : `writing ${writing.specId}`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" · ");
}
