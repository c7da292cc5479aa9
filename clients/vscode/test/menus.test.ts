// The menus of rows, as the manifest has them: which order a row offers is told by its context.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Projection } from "../src/projection";
import type { ProjectGetResult, Run } from "../src/protocol.gen";
import { type Node, node, rowOf, top } from "../src/tree/nodes";
import { AT, NOTHING, ROOT, approval, project, spec } from "./people";

interface Entry {
  command: string;
  when: string;
  group: string;
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { contributes: { menus: Record<string, Entry[]> } };

/** Commands whose `viewItem` fits; what else must hold is the window's business. */
function offered(of: Node, known: Projection): string[] {
  const context = rowOf(of, known, Date.parse(AT), "all")?.context ?? "";
  const fits = ({ when }: Entry): boolean => {
    const [, pattern, word] = /viewItem (?:=~ \/(.*?)\/(?: |$)|== (\S+))/.exec(when) ?? [];
    return pattern === undefined ? word === context : new RegExp(pattern).test(context);
  };
  const entries = manifest.contributes.menus["view/item/context"]?.filter((each) => !each.group.startsWith("inline") && fits(each)) ?? [];
  return entries.map((each) => each.command.replace("specloom.", ""));
}

const run = (state: Run["state"], pauseAfter: Run["pauseAfter"] = null): Partial<ProjectGetResult> => {
  const spent = { usd: 0, unpriced: 0, tokens: 0, turns: 0, minutes: 0 };
  const rest = { id: "r", scope: { kind: "project" as const }, budget: {}, unattended: false, reason: "", cause: "other" as const, outcome: null };
  return { run: { ...rest, state, pauseAfter, turns: 0, startedAt: AT, endedAt: null, usage: NOTHING, spent, worked: 0 } };
};

const planning: Partial<ProjectGetResult> = {
  planning: { id: "p", state: "running", stage: "specs", uri: "", writing: [], specIds: [], reason: "", usage: NOTHING } as unknown as NonNullable<ProjectGetResult["planning"]>,
};

test("a project offers what can be done with its run now", () => {
  const offers = (told: Partial<ProjectGetResult>): string[] => {
    const known = new Projection(ROOT, project(told));
    return offered(top([known])[0] as Node, known);
  };
  assert.deepEqual(offers({}), ["runProject", "plan", "planWithFeedback"]);
  assert.deepEqual(offers(run("finished")), ["runProject", "plan", "planWithFeedback"]);
  assert.deepEqual(offers(run("running")), ["pauseAfterTurn", "cancel", "pauseAfterTask", "pauseNow"]);
  assert.deepEqual(offers(run("pausing", "task")), ["pauseAfterTurn", "resume", "cancel", "pauseNow"], "sooner, or not at all");
  assert.deepEqual(offers(run("pausing", "turn")), ["resume", "cancel", "pauseNow"]);
  assert.deepEqual(offers(run("paused")), ["resume", "cancel"]);
  assert.deepEqual(offers(run("cancelling")), ["cancel"]);
  assert.deepEqual(offers(planning), ["cancel"]);
});

test("a spec is run when it is written, and settled when its plan was left; a question is answered", () => {
  const known = new Projection(ROOT, project({ specs: [spec("01"), spec("02", { status: "generating" })], approvals: [approval("q")] }));
  assert.deepEqual(offered(node("spec", ROOT, "01"), known), ["runSpec", "open"]);
  assert.deepEqual(offered(node("spec", ROOT, "02"), known), ["continueSpec", "discardSpec", "open"]);
  assert.deepEqual(offered(top([known])[0] as Node, known), ["answer"]);
  const busy = new Projection(ROOT, project(run("running")));
  assert.deepEqual(offered(node("spec", ROOT, "01"), busy), ["open"], "one run at a time");
});
