import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProjectListener } from "../src/feed";
import { Projection } from "../src/projection";
import { Projects, type Source } from "../src/projects";
import type { ProjectGetResult } from "../src/protocol.gen";
import { ROOT, crowd, event, project, session, task } from "./people";

const CHANGED = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0, costUsd: 0.5 };

test("what an event says outright is known at once, and what follows from it is asked for", () => {
  const known = new Projection(ROOT, project());
  const change = known.apply(event(11, "taskDone", { taskId: "01/1", proven: true }));
  assert.deepEqual([...change.ids], ["01/1"]);
  assert.equal(known.task("01/1")?.state, "done");
  assert.equal(known.task("01/2")?.state, "pending", "who is ready is the server's to say");
  assert.ok(change.stale);
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
  known.apply(event(11, "turnFinished", { sessionId: "s1", usage: CHANGED }));
  assert.equal(known.task("01/1")?.usage.costUsd, 0.5);
  known.apply(event(12, "turnFinished", { sessionId: "s1", usage: { ...CHANGED, costUsd: null } }));
  assert.equal(known.task("01/1")?.usage.costUsd, null);
  assert.equal(known.known.sessions[0]?.turns, 2);
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

class Told implements Source {
  listener: ProjectListener = {};
  changed = (): void => undefined;
  answers: (() => ProjectGetResult | Promise<ProjectGetResult>)[] = [];
  asked = 0;
  roots = [ROOT];
  connected = true;
  listen = (listener: ProjectListener): { dispose: () => void } => {
    this.listener = listener;
    return { dispose: () => undefined };
  };
  onChanged = (watcher: () => void): { dispose: () => void } => {
    this.changed = watcher;
    return { dispose: () => undefined };
  };
  rootOf = (): string => ROOT;
  request = (async () => {
    this.asked += 1;
    return this.answers.shift()?.();
  }) as unknown as Source["request"];
}

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
  told.listener.event?.(event(13, "taskDone", { taskId: "01/1", proven: true }), "p1");
  answer(project({ seq: 12, tasks: [task("01/1", { state: "in_progress" }), task("01/2", { state: "in_progress" })] }));
  await settled();
  assert.equal(told.asked, 1, "two events, one snapshot");
  assert.equal(projects.at(ROOT)?.task("01/1")?.state, "done");
  assert.equal(projects.at(ROOT)?.seq, 13);
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

