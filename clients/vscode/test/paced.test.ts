import assert from "node:assert/strict";
import { type TestContext, mock, test } from "node:test";
import { Paced } from "../src/tree/paced";

const EVERY = 1_000;

/** What was done at which millisecond, while time is ours. */
function watched(t: TestContext): { paced: Paced; acts: number[]; pass: (ms: number) => void } {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const acts: number[] = [];
  let now = 0;
  const paced = new Paced(() => acts.push(now), () => now);
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 10) {
      now += 10;
      mock.timers.tick(10);
    }
  };
  return { paced, acts, pass };
}

test("a first wish is carried out at once, and of a flood of them so many as there is time for, with the last", (t) => {
  const { paced, acts, pass } = watched(t);
  for (let wishes = 0; wishes < 250; wishes += 1) {
    paced.wish(EVERY);
    pass(10);
  }
  pass(5_000);
  assert.deepEqual([acts.length, acts[0]], [4, 10], `done at ${acts.join(", ")}`);
  assert.ok(acts.every((at, each) => each === 0 || at - (acts[each - 1] ?? 0) >= EVERY), `done at ${acts.join(", ")}`);
});

test("what a person waits for need not rest", (t) => {
  const { paced, acts, pass } = watched(t);
  paced.wish(EVERY);
  pass(100);
  paced.wish(EVERY);
  paced.hasten();
  paced.wish(EVERY);
  pass(10);
  assert.equal(acts.length, 2);
});

test("nothing is done for what is gone", (t) => {
  const { paced, acts, pass } = watched(t);
  paced.wish(EVERY);
  paced.dispose();
  pass(5_000);
  assert.deepEqual(acts, []);
});
