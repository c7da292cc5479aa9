// Markdown that streams in is cut into pieces that never change, and nothing of it is lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LONGEST, paragraphs, whole } from "../src/agent/paragraphs";

/** All pieces and the rest, fed in parts of some length. */
function fed(text: string, length: number): { pieces: string[]; rest: string; fence: string } {
  const pieces: string[] = [];
  let [rest, fence] = ["", ""];
  for (let at = 0; at < text.length; at += length) {
    const cut = paragraphs(rest + text.slice(at, at + length), fence);
    pieces.push(...cut.pieces);
    ({ rest, fence } = cut);
  }
  return { pieces, rest, fence };
}

const TEXT = "One.\n\n- a\n- b\n\n```py\nx = 1\n\ny = 2\n```\n\nTwo `code`.\n\n~~~\n```\n~~~\n\nrest";

test("however it is fed, the pieces are the same and a code block is whole", () => {
  const at_once = fed(TEXT, TEXT.length);
  for (let length = 1; length < TEXT.length; length++) assert.deepEqual(fed(TEXT, length), at_once, `${length} at a time`);
  assert.equal(at_once.pieces.join("") + at_once.rest, TEXT);
  assert.ok(at_once.pieces.includes("```py\nx = 1\n\ny = 2\n```\n\n"));
  assert.equal(at_once.rest, "rest");
});

test("a code block that is too long for one piece goes on in the next as code", () => {
  const lines = Array.from({ length: 500 }, (_, at) => `line ${at} of some code`).join("\n");
  const { pieces, rest, fence } = fed(`\`\`\`js\n${lines}\n`, 100);
  assert.ok(pieces.length > 1 && pieces.every((piece) => piece.length <= LONGEST + 200));
  for (const piece of pieces) {
    const marks = piece.split("\n").filter((line) => line.startsWith("```"));
    assert.equal(marks.length, 2, piece.slice(0, 40));
  }
  assert.equal(fence, "```js");
  assert.ok(whole(rest, fence, "").startsWith("```js\n"));
});

test("a fence inside of a longer one does not end it", () => {
  assert.deepEqual(paragraphs("````\n```\n\nstill code\n", "").pieces, []);
});

test("a line without an end is cut, the same however it is fed, so that what is drawn anew stays short", () => {
  for (const text of ["word \u{1F600} ".repeat(3000), "\u{1F600}".repeat(9000), `- one\n${"x".repeat(20_000)}`]) {
    const found = fed(text, 12);
    assert.deepEqual(fed(text, text.length), found);
    assert.equal(found.pieces.join("") + found.rest, text);
    assert.ok([...found.pieces, found.rest].every((piece) => piece.length <= 2 * LONGEST && !/\p{Surrogate}/u.test(piece)));
  }
  assert.ok(fed("word ".repeat(3000), 12).pieces.every((piece) => piece.endsWith("word ")));
});

test("what a command prints is shown as it is, whatever looks like a code block in it", () => {
  const text = `${"```\nline\n".repeat(1000)}~~~`;
  const { pieces, rest, fence } = paragraphs(text, "", false);
  assert.equal(pieces.join("") + rest, text);
  assert.equal(fence, "");
});
