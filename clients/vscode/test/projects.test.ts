import assert from "node:assert/strict";
import { test } from "node:test";
import { Projection } from "../src/projection";
import { Projects } from "../src/projects";
import type { ProjectGetResult } from "../src/protocol.gen";
import { ROOT, Told, crowd, event, project, session, spec, task } from "./people";

const CHANGED = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0, costUsd: 0.5 };

const COUNTS = { total: 2, done: 0, failed: 0, blocked: 0, skipped: 0, pending: 2 };
const STARTED = { runId: "r", scope: { kind: "project" }, budget: {}, unattended: false };

test("a task that is done makes its follower ready and counts, without another snapshot while a run is on", () => {
  const known = new Projection(ROOT, project({ counts: COUNTS, specs: [spec("01", { counts: COUNTS })] }));
  assert.equal(known.apply(event(11, "runStarted", STARTED)).stale, false);
  const change = known.apply(event(12, "taskDone", { taskId: "01/1", proven: true, evidence: [] }));
  assert.deepEqual([...change.ids].sort(), ["01", "01/1", "01/2"]);
  assert.deepEqual([known.task("01/1")?.state, known.task("01/2")?.state], ["done", "ready"]);
  assert.deepEqual([known.known.counts.done, known.spec("01")?.counts.done, known.spec("01")?.counts.pending], [1, 1, 1]);
  assert.equal(change.stale, false);
  assert.equal(known.apply(event(13, "specRead", { specId: "01", boxesOnly: true })).stale, false);
  assert.equal(known.apply(event(14, "runFinished", { runId: "r", outcome: "completed", reason: "" })).stale, true);
});

test("a document that says something else is asked for, and so is what a hand did to a task", () => {
  const known = new Projection(ROOT, project());
  assert.equal(known.apply(event(11, "specRead", { specId: "01", boxesOnly: false })).stale, true);
  assert.equal(known.apply(event(12, "specRead", { specId: "01", boxesOnly: true })).stale, false);
  assert.equal(known.apply(event(13, "taskSkipped", { taskId: "01/1", reason: "" })).stale, true);
});

test("a snapshot names exactly the tasks that it changes", () => {
  const known = new Projection(ROOT, project());
  const change = known.replace(project({ seq: 12, tasks: [task("01/1"), task("01/2", { state: "ready", dependsOn: ["01/1"] })] }));
  assert.deepEqual([...change.ids], ["01/2"]);
  assert.equal(change.structure, false);
  assert.equal(known.replace(project({ tasks: [task("01/1")] })).structure, true);
});

test("a turn counts for its session, its task and the run, and a price that is unknown stays so", () => {
  const known = new Projection(ROOT, project({ sessions: [session("s1", { taskId: "01/1" })] }));
  known.apply(event(11, "turnFinished", { sessionId: "s1", turn: 1, usage: CHANGED }));
  assert.equal(known.task("01/1")?.usage.costUsd, 0.5);
  known.apply(event(12, "turnFinished", { sessionId: "s1", turn: 2, usage: { ...CHANGED, costUsd: null } }));
  assert.equal(known.task("01/1")?.usage.costUsd, null);
  known.apply(event(13, "turnFailed", { sessionId: "s1", turn: 3, usage: CHANGED }));
  assert.deepEqual([known.known.sessions[0]?.turns, known.task("01/1")?.turns], [2, 2], "it is asked again");
});

test("a question is there from when it is asked until anybody answers it", () => {
  const known = new Projection(ROOT, project());
  known.apply(event(11, "approvalAsked", { approvalId: "q", kind: "command", subject: "make", purpose: "why", taskId: null, choices: ["Yes", "No"] }));
  assert.equal(known.known.approvals[0]?.subject, "make");
  known.apply(event(12, "approvalAnswered", { approvalId: "q" }));
  assert.deepEqual(known.known.approvals, []);
});

test("one task among ten thousand changes its own row and no other", () => {
  const known = new Projection(ROOT, project({ tasks: crowd(), specs: [] }));
  const others = known.known.tasks.filter((each) => each.id !== "50/7").map((each) => known.task(each.id));
  const change = known.apply(event(11, "taskStarted", { taskId: "50/7", number: 1 }));
  assert.deepEqual([...change.ids], ["50/7"]);
  assert.equal(change.structure, false);
  assert.equal(known.task("50/7")?.state, "in_progress");
  assert.ok(others.every((each) => each !== undefined && known.task(each.id) === each), "they are the same objects");
});

test("events that come while a snapshot is on its way go on top of it", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const told = new Told();
  const projects = new Projects(told);
  told.listener.snapshot?.(project());
  let answer: (snapshot: ProjectGetResult) => void = () => undefined;
  told.answers = [() => new Promise((resolve) => (answer = resolve))];
  told.listener.event?.(event(11, "taskStarted", { taskId: "01/1", number: 1 }), "p1");
  told.listener.event?.(event(12, "taskStarted", { taskId: "01/2", number: 1 }), "p1");
  context.mock.timers.tick(1_000);
  await settled();
  told.listener.event?.(event(13, "taskDone", { taskId: "01/1", proven: true, evidence: [] }), "p1");
  answer(project({ seq: 12, tasks: [task("01/1", { state: "in_progress" }), task("01/2", { state: "in_progress" })] }));
  await settled();
  assert.equal(told.asked, 1, "two events, one snapshot");
  assert.equal(projects.at(ROOT)?.task("01/1")?.state, "done");
  assert.equal(projects.at(ROOT)?.seq, 13);
  projects.dispose();
});

test("projects stand in the order of their folders, whoever answers first", () => {
  const told = new Told();
  const projects = new Projects(told);
  told.roots = ["file:///a", "file:///b"];
  for (const id of ["b", "a"]) {
    told.rootOf = (): string => `file:///${id}`;
    told.listener.snapshot?.(project({ id }));
  }
  assert.deepEqual(projects.all.map((each) => each.known.id), ["a", "b"]);
  projects.dispose();
});

test("a folder that is closed takes its project along", () => {
  const told = new Told();
  const projects = new Projects(told);
  const closed: string[] = [];
  projects.listen({ closed: (root) => closed.push(root) });
  told.listener.snapshot?.(project());
  told.roots = [];
  told.connected = false;
  told.changed();
  assert.deepEqual([closed, projects.all.length], [[ROOT], 0]);
});

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

