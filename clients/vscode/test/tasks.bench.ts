// What an event about one task costs among ten thousand: the fold, and the row that the editor is told. Prints JSON.

import { Projection } from "../src/projection";
import { node, rowOf } from "../src/tree/nodes";
import { AT, ROOT, crowd, event, project, spec } from "./people";

const EVENTS = 2_000;
const NOW = Date.parse(AT);

const specs = Array.from({ length: 100 }, (_, at) => spec(String(at)));
const began = performance.now();
const known = new Projection(ROOT, project({ tasks: crowd(), specs }));
const snapshot = performance.now() - began;
const each: number[] = [];
for (let at = 0; at < EVENTS; at++) {
  const from = performance.now();
  const change = known.apply(event(11 + at, at % 2 === 0 ? "taskStarted" : "taskDone", { taskId: "50/7", number: 1, proven: true, evidence: [] }));
  for (const id of change.ids) rowOf(node("task", ROOT, id), known, NOW, "all");
  each.push(performance.now() - from);
}
each.sort((one, other) => one - other);
const of = (share: number): number => Number((each[Math.floor(EVENTS * share)] ?? 0).toFixed(4));
console.log(JSON.stringify({ tasks: 10_000, snapshotMs: Number(snapshot.toFixed(1)), medianMs: of(0.5), p99Ms: of(0.99) }));
