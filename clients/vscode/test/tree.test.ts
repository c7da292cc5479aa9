import assert from "node:assert/strict";
import { test } from "node:test";
import { fitsNotification, questionText } from "../src/people/questions";
import { Projection } from "../src/projection";
import type { ProjectGetResult } from "../src/protocol.gen";
import { statusLine } from "../src/runs/line";
import { elapsed, estimateLine, keyless, money, percent, short } from "../src/texts";
import { type Node, childrenOf, node, parentOf, rowOf, top } from "../src/tree/nodes";
import { AT, NOTHING, ROOT, approval, project, session, spec, task } from "./people";

const NOW = Date.parse(AT) + 65_000;

function labels(nodes: Node[], known: Projection): (string | undefined)[] {
  return nodes.map((each) => rowOf(each, known, NOW, "all")?.label);
}

const TASKS = [
  task("01/1", { isLeaf: false, state: "in_progress" }),
  task("01/1.1", { parent: "01/1", state: "done", proven: true }),
  task("01/1.2", { parent: "01/1", state: "in_progress", startedAt: AT, attempts: 2, usage: { ...NOTHING, input: 10, costUsd: 0.25 } }),
  task("01/2", { state: "pending", dependsOn: ["01/1.1", "01/1.2"] }),
  task("02/1", { state: "failed", reason: "the command\nfailed" }),
  task("02/2", { state: "done" }),
];

function known(told: Partial<ProjectGetResult> = {}): Projection {
  return new Projection(ROOT, project({ tasks: TASKS, specs: [spec("01"), spec("02")], ...told }));
}

test("what waits for a person is above everything else", () => {
  const projection = known({ approvals: [approval("q", { subject: "make test" })] });
  assert.deepEqual(labels(top([projection]), projection), ["make test", "greeter"]);
});

test("where all there is to do is to plan, no row stands in the way of saying so", () => {
  const fresh = known({ tasks: [], specs: [] });
  assert.deepEqual(top([fresh]), []);
  assert.equal(top([fresh, known()]).length, 2);
  assert.equal(top([known({ tasks: [], specs: [], sessions: [session("s1", { role: "planner" })] })]).length, 1);
  assert.equal(top([known({ tasks: [], specs: [], approvals: [approval("q", { subject: "make test" })] })]).length, 2);
});

test("specs hold their tasks, parents their leaves, and every row knows what it is below", () => {
  const projection = known();
  const whole = top([projection])[0] as Node;
  const [first] = childrenOf(whole, projection, "all") as [Node];
  assert.deepEqual(labels(childrenOf(first, projection, "all"), projection), ["1 Task 1", "2 Task 2"]);
  const leaf = node("task", ROOT, "01/1.2");
  assert.equal(parentOf(leaf, projection)?.id, node("task", ROOT, "01/1").id);
  assert.equal(parentOf(parentOf(leaf, projection) as Node, projection)?.id, first.id);
  assert.equal(parentOf(first, projection)?.id, whole.id);
});

test("a row tells attempt, time and cost of what is at work, what a task waits for, and why one failed", () => {
  const projection = known();
  const row = (id: string): string | undefined => rowOf(node("task", ROOT, id), projection, NOW, "all")?.description;
  assert.equal(row("01/1.2"), "attempt 2 · 1m 5s · $0.25");
  assert.equal(row("01/2"), "waits for 01/1.2");
  assert.equal(row("02/1"), "failed · the command failed");
  assert.equal(row("02/2"), "done, not proven");
});

test("a screen reader is told the state in words, without running times", () => {
  const spoken = rowOf(node("task", ROOT, "01/1.2"), known(), NOW, "all")?.spoken;
  assert.equal(spoken, "Task 1.2 Task 1.2, in progress, attempt 2");
});

test("a filter keeps the tasks that pass with what is above them", () => {
  const projection = known();
  const whole = top([projection])[0] as Node;
  assert.deepEqual(labels(childrenOf(whole, projection, "trouble"), projection), ["02 Spec 02"]);
  assert.deepEqual(labels(childrenOf(node("spec", ROOT, "01"), projection, "running"), projection), ["1 Task 1"]);
  assert.deepEqual(labels(childrenOf(node("task", ROOT, "01/1"), projection, "running"), projection), ["1.2 Task 1.2"]);
  assert.deepEqual(labels(childrenOf(node("spec", ROOT, "02"), projection, "unproven"), projection), ["2 Task 2"]);
});

test("the newest sessions stand first, open ones before all", () => {
  const sessions = [session("s1", { role: "planner", outcome: "done" }), session("s2", { role: "executor" }), session("s3", { role: "reviewer", outcome: "done" })];
  const projection = known({ sessions });
  const agents = childrenOf(top([projection])[0] as Node, projection, "all").at(-1) as Node;
  assert.deepEqual(labels(childrenOf(agents, projection, "all"), projection), ["executor", "reviewer", "planner"]);
});

test("the status bar tells the task, the share and the cost, and warns where somebody is waited for", () => {
  const run = { id: "r", scope: { kind: "project" as const }, budget: {}, unattended: false, state: "running" as const, reason: "", cause: "other" as const, outcome: null, turns: 3, startedAt: AT, endedAt: null };
  const spent = { usd: 0.12, unpriced: 0, tokens: 10, turns: 3, minutes: 1 };
  const counts = { total: 4, done: 1, failed: 0, blocked: 0, skipped: 0, pending: 3 };
  const usage = { ...NOTHING, input: 10, costUsd: 0.12 };
  const projection = known({ run: { ...run, usage, spent }, counts, sessions: [session("s", { taskId: "01/1.2" })] });
  assert.equal(statusLine([projection], NOW)?.text, "$(sync~spin) 01/1.2 · 25 % · $0.12");
  assert.equal(statusLine([projection], NOW)?.warns, false);
  const asked = known({ run: { ...run, usage, spent }, counts, approvals: [approval("q")] });
  assert.match(statusLine([asked], NOW)?.text ?? "", /1 question$/);
  assert.equal(statusLine([asked], NOW)?.warns, true);
  assert.equal(statusLine([], NOW), undefined);
});

test("a question shows exactly what a yes allows, or leads to where it can be read", () => {
  const lines = approval("q", { subject: "make a\nmake b", taskId: "01/1" });
  assert.equal(questionText(lines), "Specloom asks (task 01/1): A command: make a ⏎ make b");
  assert.ok(fitsNotification(lines));
  assert.ok(!fitsNotification(approval("q", { subject: "x".repeat(500) })), "part of it would be hidden");
  assert.ok(!fitsNotification(approval("q", { subject: "rm  -r" })), "white space would be hidden");
  assert.ok(!fitsNotification(approval("q", { choices: [] })), "words are asked for");
});

test("where a key lacks, the command that takes one is named before what the server knows", () => {
  const here = "the command Specloom: Set API Key… takes one";
  assert.equal(keyless("No API key: set ANTHROPIC_API_KEY"), `No API key: ${here}; or set ANTHROPIC_API_KEY`);
  assert.equal(keyless("The key is for a; No API key: set b"), `The key is for a; No API key: ${here}; or set b`);
  assert.equal(keyless("key needed"), `key needed; ${here}`);
});

test("amounts are told as people write them", () => {
  assert.deepEqual([money(null), money(0), money(0.001), money(1.239)], ["", "$0", "< $0.01", "$1.24"]);
  assert.deepEqual([short(950), short(12_300), short(3_400_000)], ["950", "12k", "3.4M"]);
  assert.deepEqual([elapsed(AT, NOW), elapsed(AT, Date.parse(AT) - 1)], ["1m 5s", ""]);
  assert.equal(percent({ total: 1000, done: 999, failed: 1, blocked: 0, skipped: 0, pending: 0 }), 99);
  const span = { low: 10, likely: 20, high: 40 };
  const estimate = { scope: { kind: "project" as const }, tasks: 1, held: 0, planned: true, basis: "history" as const, samples: 3, model: "m", turns: span, input: span, output: span, cached: 0, costUsd: null };
  assert.equal(estimateLine(estimate), "1 task · price unknown · 20 (10 to 40) turns · m");
});
