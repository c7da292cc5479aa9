import assert from "node:assert/strict";
import { test } from "node:test";
import { lineOf } from "../src/agent/notes";
import { hearEnds } from "../src/people/ends";
import { Projects } from "../src/projects";
import { Projection } from "../src/projection";
import { rowOf, top } from "../src/tree/nodes";
import type { Planning, ProjectGetResult } from "../src/protocol.gen";
import { AT, ROOT, Told, event, project } from "./people";

const failed = { planning: { id: "p", state: "failed", reason: "no answer", writing: [] } as unknown as Planning };

function heard(first: ProjectGetResult): { told: Told; said: string[] } {
  const [told, said] = [new Told(), [] as string[]];
  hearEnds(new Projects(told), (text) => said.push(text));
  told.listener.snapshot?.(first);
  return { told, said };
}

test("a run that ends without what it was for is told once, and neither one that went well nor one that was cancelled", () => {
  const { told, said } = heard(project());
  const ended = (outcome: string, reason: string, seq: number): void => {
    told.listener.event?.(event(seq, "runStarted", { runId: outcome, scope: { kind: "project" }, budget: {}, unattended: false }), "p1");
    told.listener.event?.(event(seq + 1, "runFinished", { runId: outcome, outcome, reason }), "p1");
  };
  ["completed", "cancelled", "fault", "incomplete"].forEach((outcome, at) => ended(outcome, outcome === "fault" ? "answered 400" : "", 11 + 2 * at));
  assert.deepEqual(said, ["the run is stopped, 0 of 0 tasks done: answered 400", "the run is incomplete, 0 of 0 tasks done"]);
  told.listener.event?.(event(30, "approvalAsked", { approvalId: "q", kind: "command", subject: "", purpose: "", choices: [] }), "p1");
  assert.equal(said.length, 2, "it was told already");
});

test("a plan that fails is told, one that had failed before is only shown", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  assert.deepEqual(heard(project(failed)).said, []);
  const cancelled = { planning: { ...failed.planning, reason: "cancelled by the user" } };
  const { told, said } = heard(project());
  told.answers = [() => project({ ...failed, seq: 12 })];
  told.listener.event?.(event(11, "planFailed", { planId: "p", reason: "no answer" }), "p1");
  context.mock.timers.tick(1_000);
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(said, ["the plan failed: no answer"]);
  const known = new Projection(ROOT, project(failed));
  const row = top([known])[0];
  assert.equal(row && rowOf(row, known, Date.parse(AT), "all")?.description, "plan failed: no answer");
  const own = heard(project());
  own.told.answers = [() => project({ ...cancelled, seq: 12 })];
  own.told.listener.event?.(event(11, "planFailed", { planId: "p", reason: "cancelled by the user" }), "p1");
  context.mock.timers.tick(1_000);
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(own.said, []);
});

test("the Agent view says once that a run is paused, and how it ended in the words of all else", () => {
  const said = (reason: string): string | undefined => lineOf(event(1, "runPaused", { runId: "r", reason, cause: "other" }))?.text;
  assert.deepEqual([said(""), said("no key")], ["Paused", "Paused: no key"]);
  const ended = (outcome: string): string | undefined => lineOf(event(1, "runFinished", { runId: "r", outcome, reason: "" }))?.text;
  assert.deepEqual(["completed", "fault", "budget"].map(ended), ["Run completed", "Run stopped", "Run out of budget"]);
});
