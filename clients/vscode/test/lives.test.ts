// Lives of projects as a server told them, a file each in the folder LIVES: a snapshot, the events after it, and the
// snapshot at their end.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Projection } from "../src/projection";
import { Projects } from "../src/projects";
import type { ProjectGetResult, Run, Task, WireEvent } from "../src/protocol.gen";
import { ROOT, Told } from "./people";

const folder = process.env["LIVES"] ?? "";
/** More milliseconds than a snapshot is ever waited for. */
const LONG = 60_000;

test("what is folded from events is what the server says, and only the end of a run asks for more", { skip: folder === "" }, async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const lives = readdirSync(folder);
  assert.ok(lives.length > 0);
  for (const life of lives) {
    const lines = readFileSync(`${folder}/${life}`, "utf8").trim().split("\n").map((line): unknown => JSON.parse(line));
    const [first, last] = [lines[0] as ProjectGetResult, lines.at(-1) as ProjectGetResult];
    const told = new Told();
    const projects = new Projects(told);
    told.listener.snapshot?.(first);
    for (const event of lines.slice(1, -1) as WireEvent[]) {
      told.listener.event?.(event, first.id);
      const folded = shown(projects.at(ROOT));
      context.mock.timers.tick(LONG);
      assert.equal(told.asked, event.type === "runFinished" ? 1 : 0, `${life}: after ${event.type}`);
      if (event.seq === last.seq) {
        assert.deepEqual(folded, shown(new Projection(ROOT, last)), life);
        worked(projects.at(ROOT), last, life);
      }
    }
    assert.equal(projects.at(ROOT)?.seq, last.seq, life);
    projects.dispose();
  }
});

/** All but what only the server counts. */
function shown(projection: Projection | undefined): object {
  assert.ok(projection);
  const { tasks, specs, run, counts, usage, agents, sessions, approvals, prompts } = projection.known;
  const known = tasks.map(({ id }) => ({ ...projection.task(id), verify: [], worked: 0 }));
  const talked = sessions.map((each) => ({ ...each, workedBefore: 0 }));
  return { known, specs: specs.map(({ id }) => projection.spec(id)), run: counted(run), counts, usage, agents, talked, approvals, prompts };
}

function counted(run: Run | null): object | null {
  return run && { ...run, spent: null, worked: 0 };
}

/** More seconds than a sum that is added up in another order, and rounded, is off by. */
const NEAR = 0.01;

/** Whether seconds of work are those that the server counted. */
function worked(projection: Projection | undefined, last: ProjectGetResult, life: string): void {
  assert.ok(projection);
  const sums = (known: Readonly<ProjectGetResult>, task: (id: string) => Task | undefined): number[] => {
    const ids = last.tasks.map(({ id }) => id);
    const before = known.sessions.map((each) => each.workedBefore);
    return [known.work.seconds, known.run?.worked ?? 0, ...before, ...ids.map((id) => task(id)?.worked ?? Number.NaN)];
  };
  const wanted = sums(last, (id) => last.tasks.find((each) => each.id === id));
  const off = sums(projection.known, (id) => projection.task(id)).map((each, index) => Math.abs(each - (wanted[index] ?? 0)));
  assert.ok(off.every((each) => each < NEAR), `${life}: seconds of work are off by ${Math.max(...off)}`);
  assert.equal(projection.known.work.since, last.work.since, life);
}
