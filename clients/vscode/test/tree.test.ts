import assert from "node:assert/strict";
import { test } from "node:test";
import { fitsNotification, questionText } from "../src/people/questions";
import { Projection } from "../src/projection";
import type { ProjectGetResult, WireEvent } from "../src/protocol.gen";
import { statusLine } from "../src/runs/line";
import { elapsed, estimateBasis, estimateLine, keyless, literal, money, percent, short } from "../src/texts";
import { type Filter, type Node, type Row, childrenOf, node, parentOf, rowOf, top } from "../src/tree/nodes";
import { AT, NOTHING, ROOT, approval, crowd, project, session, spec, task } from "./people";

const NOW = Date.parse(AT) + 65_000;

function labels(nodes: Node[], known: Projection): (string | undefined)[] {
  return nodes.map((each) => rowOf(each, known, NOW, "all")?.label);
}

const TASKS = [
  task("01/1", { isLeaf: false, state: "in_progress" }),
  task("01/1.1", { parent: "01/1", state: "done", proven: true }),
  task("01/1.2", { parent: "01/1", state: "in_progress", startedAt: AT, worked: -100, attempts: 2, usage: { ...NOTHING, input: 10, costUsd: 0.25 } }),
  task("01/2", { state: "pending", dependsOn: ["01/1.1", "01/1.2"] }),
  task("02/1", { state: "failed", reason: "the command\nfailed" }),
  task("02/2", { state: "done" }),
];

function known(told: Partial<ProjectGetResult> = {}): Projection {
  const work = { seconds: 100, since: AT };
  return new Projection(ROOT, project({ tasks: TASKS, specs: [spec("01"), spec("02")], work, ...told }));
}

test("what waits for a person is above everything else", () => {
  const projection = known({ approvals: [approval("q", { subject: "make test" })] });
  assert.deepEqual(labels(top([projection]), projection), ["make test", "greeter"]);
  const [alone, beside] = [top([projection])[0], top([projection, known()])[0]].map((each) => rowOf(each as Node, projection, NOW, "all")?.label);
  assert.deepEqual([alone, beside], ["make test", "greeter: make test"], "of several projects it is told which one asks");
  assert.equal(questionText(approval("q"), "greeter"), "Specloom asks in greeter: A command: make test");
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

test("a task whose requirements changed says so, and offers what the server would take", () => {
  const doubted = { state: "done" as const, proven: true, wasProven: true, outdated: ["R1.1"] };
  const tasks = [task("01/1", { ...doubted, verifiable: true }), task("01/2", doubted), task("01/3", { ...doubted, stale: ["a.py"] }), task("01/4")];
  const projection = known({ tasks });
  const row = (id: string): Row | undefined => rowOf(node("task", ROOT, id), projection, NOW, "all");
  assert.deepEqual([row("01/1")?.description, row("01/1")?.icon], ["done, outdated", "versions"]);
  assert.match(row("01/1")?.tooltip ?? "", /changed since it was done: R1.1/);
  assert.deepEqual([row("01/3")?.description, row("01/3")?.icon], ["done, proof stale", "history"]);
  assert.equal(row("01/1")?.context, "task.done.leaf.proof.verify.reset");
  assert.equal(row("01/2")?.context, "task.done.leaf.proof.reset", "there is no command to run");
  assert.equal(row("01/4")?.context, "task.ready.leaf.run");
  const torn = known({ tasks, specs: [spec("01", { status: "generating" })] });
  assert.equal(rowOf(node("task", ROOT, "01/4"), torn, NOW, "all")?.context, "task.ready.leaf");
  assert.deepEqual(labels(childrenOf(node("spec", ROOT, "01"), projection, "unproven"), projection), ["1 Task 1", "2 Task 2", "3 Task 3"]);
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

test("among very many tasks specs are folded until one is looked for", () => {
  const folding = (projection: Projection, filter: Filter): string | undefined => rowOf(node("spec", ROOT, "01"), projection, NOW, filter)?.folding;
  const many = known({ tasks: crowd() });
  assert.deepEqual([folding(known(), "all"), folding(many, "all"), folding(many, "open"), folding(many, "trouble")], ["open", "closed", "closed", "open"]);
});

test("the newest sessions stand first, open ones before all", () => {
  const sessions = [session("s1", { role: "planner", outcome: "done" }), session("s2", { role: "executor" }), session("s3", { role: "reviewer", outcome: "done" })];
  const projection = known({ sessions });
  const agents = childrenOf(top([projection])[0] as Node, projection, "all").at(-1) as Node;
  assert.deepEqual(labels(childrenOf(agents, projection, "all"), projection), ["executor", "reviewer", "planner"]);
  assert.equal(rowOf(agents, projection, NOW, "all")?.description, "1 at work");
});

test("the status bar tells the task, the share and the cost, and warns where somebody is waited for", () => {
  const run = { id: "r", scope: { kind: "project" as const }, budget: {}, unattended: false, state: "running" as const, reason: "", cause: "other" as const, pauseAfter: null, outcome: null, turns: 3, startedAt: AT, endedAt: null, worked: 0 };
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
  const two = statusLine([asked, known({ name: "other", approvals: [approval("r")] })], NOW);
  assert.match(two?.text ?? "", /greeter · .* · 2 questions$/, "of several projects it is told which one works, and all that waits");
});

test("a question shows exactly what a yes allows, or leads to where it can be read", () => {
  const lines = approval("q", { subject: "make a\nmake b", taskId: "01/1" });
  assert.equal(questionText(lines), "Specloom asks (task 01/1): A command: make a ⏎ make b");
  assert.ok(fitsNotification(lines));
  assert.ok(!fitsNotification(approval("q", { subject: "x".repeat(500) })), "part of it would be hidden");
  assert.ok(!fitsNotification(approval("q", { subject: "rm  -r" })), "white space would be hidden");
  assert.ok(!fitsNotification(approval("q", { choices: [] })), "words are asked for");
});

test("no question brings a link of its own, and none loses what looks like an icon", () => {
  const linked = approval("q", { subject: "echo [safe](command:x.y?%5B%5D) [to](https://a.b)", taskId: "01/1", purpose: "task 01/1 runs a command" });
  assert.equal(questionText(linked), "Specloom asks: task 01/1 runs a command: echo [safe] (command:x.y?%5B%5D) [to] (https://a.b)");
  assert.ok(!fitsNotification(linked), "it is shown otherwise than it is");
  assert.equal(literal("rm -r $(pwd) ${a} $(ls -a)"), "rm -r \\$(pwd) ${a} $(ls -a)");
});

test("time passes in a task and its run only while the run is at work", () => {
  const projection = new Projection(ROOT, project({ specs: [spec("01")], tasks: [task("01/1")], work: { seconds: 50, since: null } }));
  const at = (second: number): string => new Date(Date.parse(AT) + 1_000 * second).toISOString();
  const row = (second: number): string => rowOf(node("task", ROOT, "01/1"), projection, Date.parse(at(second)), "all")?.description ?? "";
  const status = (second: number): string => statusLine([projection], Date.parse(at(second)))?.tooltip ?? "";
  let seq = 10;
  const hear = (second: number, told: object): unknown =>
    projection.apply({ projectId: "p1", runId: "r", taskId: "01/1", by: "engine", commandId: null, seq: (seq += 1), at: at(second), ...told } as unknown as WireEvent);
  const run = { scope: { kind: "project" }, budget: {}, unattended: false };
  hear(0, { type: "runStarted", ...run });
  hear(10, { type: "taskStarted", number: 1, agentId: "a1", attemptId: "t" });
  hear(10, { type: "sessionStarted", sessionId: "s", agentId: "a1", role: "executor", model: "m", previousId: null, number: 1, parentId: null, parentCallId: null });
  const agent = (second: number): string => rowOf(node("session", ROOT, "s"), projection, Date.parse(at(second)), "all")?.description ?? "";
  assert.deepEqual([row(30), agent(30)], ["attempt 1 · 20s", "01/1 · 0 turns · 20s"]);
  hear(40, { type: "runPaused", reason: "", cause: "other" });
  assert.deepEqual([row(40), row(4_000)], ["attempt 1 · 30s", "attempt 1 · 30s"]);
  assert.match(status(4_000), /^Run paused, 40s/m);
  hear(4_000, { type: "runResumed" });
  assert.deepEqual([row(4_000), row(4_005), agent(4_005)], ["attempt 1 · 30s", "attempt 1 · 35s", "01/1 · 0 turns · 35s"]);
  assert.match(status(4_005), /^Run running, 45s/m);
  hear(4_010, { type: "attemptFailed", attemptId: "t", reason: "no" });
  hear(4_050, { type: "taskStarted", number: 2, agentId: "a1", attemptId: "u" });
  assert.equal(row(4_051), "attempt 2 · 41s", "what passed between its attempts was not for it");
  hear(4_060, { type: "runPaused", reason: "stopped", cause: "interrupted" });
  assert.equal(row(90_000), "attempt 2 · 40s", "of what was cut off only what is known counts");
});

test("a daemon of before, which was kept because it was at work, tells no time of work, and all else is shown", () => {
  const { work: _, ...older } = project({ specs: [spec("01")], tasks: [task("01/1", { worked: undefined as unknown as number })] });
  const projection = new Projection(ROOT, older as ProjectGetResult);
  projection.apply({ type: "taskStarted", taskId: "01/1", number: 1, agentId: "a1", seq: 11, at: AT } as unknown as WireEvent);
  assert.equal(rowOf(node("task", ROOT, "01/1"), projection, NOW, "all")?.description, "attempt 1 · 0s");
});

test("a question over night counts as an hour at most, and a task that has sub-tasks now as no work of its own", () => {
  const tasks = [task("01/1", { isLeaf: false, state: "in_progress", startedAt: AT }), task("01/1.1", { parent: "01/1", state: "in_progress", startedAt: AT })];
  const projection = new Projection(ROOT, project({ specs: [spec("01")], tasks, work: { seconds: 0, since: AT } }));
  const morning = Date.parse(AT) + 50_000_000;
  const rows = (): (string | undefined)[] => tasks.map(({ id }) => rowOf(node("task", ROOT, id), projection, morning, "all")?.description);
  assert.deepEqual(rows(), ["", "1h 0m"]);
  const answer = { projectId: "p1", by: "user", commandId: null, taskId: null, seq: 11, at: new Date(morning).toISOString(), type: "approvalAnswered" };
  projection.apply({ ...answer, approvalId: "q", allowed: true } as unknown as WireEvent);
  assert.deepEqual(rows(), ["", "1h 0m"]);
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
  const estimate = { scope: { kind: "project" as const }, tasks: 1, held: 0, rechecked: 0, unplanned: 0, planned: true, basis: "history" as const, samples: 3, model: "m", turns: span, input: span, output: span, cached: 0, costUsd: null };
  assert.equal(estimateLine(estimate), "1 task · price unknown · 20 (10 to 40) turns · m");
  assert.equal(estimateBasis(estimate), "Rests on 3 tasks done here");
  const more = estimateBasis({ ...estimate, held: 1, rechecked: 2, unplanned: 1 });
  assert.equal(more, "Rests on 3 tasks done here; 2 proofs to verify again; 1 spec without tasks yet on top; 1 failed or blocked task left alone");
});
