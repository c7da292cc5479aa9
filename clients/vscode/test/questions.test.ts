import assert from "node:assert/strict";
import { test } from "node:test";
import { subjectRows } from "../src/people/questions";
import { approval } from "./people";

test("what a yes allows stands below the choices, whole, in rows that are not cut off", () => {
  assert.deepEqual(subjectRows(approval("q", { subject: "make test" })), ["make test"]);
  const commands = ["make a", "", `  echo ${"x".repeat(200)}`, "make 'ü\u{1F600}'"];
  const rows = subjectRows(approval("q", { subject: commands.join("\r\n") }));
  assert.equal(rows.join(""), commands.join(""), "nothing is left out or otherwise");
  assert.deepEqual([rows[0], rows[1], rows.at(-1)], ["make a", "", "make 'ü\u{1F600}'"]);
  const words = subjectRows(approval("q", { subject: `${"make ".repeat(20)}done` }));
  assert.deepEqual([words.length, words[1]?.startsWith("make"), words.at(-1)?.endsWith("done")], [2, true, true], "no word is cut");
  assert.ok(rows.every((row) => row.length <= 71));
});
