import assert from "node:assert/strict";
import { test } from "node:test";
import { Projection } from "../src/projection";
import type { ProjectGetResult } from "../src/protocol.gen";
import { statusLine } from "../src/runs/line";
import { type Node, type Row, childrenOf, node, rowOf, top } from "../src/tree/nodes";
import { AT, ROOT, event, project, session, task } from "./people";

test("while its run is on, no row of a project offers another, and all are told when it begins and ends", () => {
  const known = new Projection(ROOT, project());
  const offers = (): string | undefined => rowOf(node("task", ROOT, "01/1"), known, 0, "all")?.context;
  assert.equal(offers(), "task.ready.leaf.run");
  const begins = known.apply(event(11, "runStarted", { runId: "r", scope: { kind: "project" }, budget: {}, unattended: false }));
  assert.deepEqual([begins.structure, offers()], [true, "task.ready.leaf"]);
  assert.equal(known.apply(event(12, "runPausing", { runId: "r", reason: "", after: "turn" })).structure, false);
  const ends = known.apply(event(13, "runFinished", { runId: "r", outcome: "completed", reason: "" }));
  assert.deepEqual([ends.structure, offers()], [true, "task.ready.leaf.run"]);
});

test("while a run is pausing, all say what ends first; once it is paused, nothing turns", () => {
  const begun = task("01/1", { state: "in_progress", startedAt: AT });
  const known = new Projection(ROOT, project({ tasks: [begun], sessions: [session("s", { taskId: "01/1" })] }));
  const rows = (): (Row | undefined)[] => [top([known])[0], node("task", ROOT, "01/1"), node("session", ROOT, "s")].map((each) => each && rowOf(each, known, Date.parse(AT), "all"));
  const told = (): [string?, ...(string | undefined)[]] => [statusLine([known], Date.parse(AT))?.text, rows()[0]?.description, ...rows().slice(1).map((row) => row?.icon)];
  known.apply(event(11, "runStarted", { runId: "r", scope: { kind: "project" }, budget: {}, unattended: false }));
  known.apply(event(12, "runPausing", { runId: "r", reason: "", after: "task" }));
  assert.deepEqual(told(), ["$(debug-pause) 01/1 · pausing", "pausing after this task", "loading~spin", "loading~spin"]);
  const paused = known.apply(event(13, "runPaused", { runId: "r", reason: "", cause: "other" }));
  assert.deepEqual(told(), ["$(debug-pause) 01/1 · paused", "paused", "debug-pause", "debug-pause"]);
  assert.ok(paused.ids.has("01/1"), "its row is drawn anew");
  known.apply(event(14, "runPaused", { runId: "r", reason: "the key is wrong", cause: "key" }));
  assert.equal(rows()[0]?.description, "paused · the key is wrong");
});

test("a plan that goes on while a run is paused is told as being at work", () => {
  const run = { runId: "r", scope: { kind: "project" as const }, budget: {}, unattended: false };
  const sessions = [session("s", { taskId: "01/1" }), session("p", { role: "planner" })];
  const told = (planning: object | null): (string | undefined)[] => {
    const known = new Projection(ROOT, project({ sessions, ...(planning && { planning: planning as NonNullable<ProjectGetResult["planning"]> }) }));
    known.apply(event(11, "runStarted", run));
    known.apply(event(12, "runPaused", { runId: "r", reason: "", cause: "other" }));
    const agents = childrenOf(top([known])[0] as Node, known, "all").at(-1) as Node;
    const [all, worker, planner] = [agents, node("session", ROOT, "s"), node("session", ROOT, "p")].map((each) => rowOf(each, known, Date.parse(AT), "all"));
    return [all?.description, worker?.icon, planner?.icon];
  };
  assert.deepEqual(told({ id: "p", state: "running", writing: [] }), ["2 at work", "debug-pause", "loading~spin"]);
  assert.deepEqual(told(null), ["2 paused", "debug-pause", "debug-pause"]);
});
