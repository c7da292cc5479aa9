// Cuts Markdown that streams in into pieces that never change again, so that each is rendered once. Refuses to look back.

/** Whole pieces, and what still grows. */
export interface Cut {
  readonly pieces: readonly string[];
  readonly rest: string;
  /** The opening line of the code block that `rest` is inside of; empty: of none. */
  readonly fence: string;
}

/** A piece without a blank line is cut after this many characters all the same, and so is a line without an end. */
export const LONGEST = 4000;
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;

/**
 * Cuts at blank lines outside of code blocks, of which text that is not `formatted` has none.
 * `rest` of one call, with what came since, is the `text` of the next.
 */
export function paragraphs(text: string, fence: string, formatted = true): Cut {
  const pieces: string[] = [];
  let open = fence;
  let start = 0;
  let opened = fence;
  for (let at = 0; ; ) {
    const end = text.indexOf("\n", at);
    const long = (end < 0 ? text.length : end) - at > LONGEST;
    if (end < 0 && !long) break;
    const next = long ? broken(text, at) : end + 1;
    const line = text.slice(at, next);
    if (formatted) open = after(line.trimEnd(), open);
    at = next;
    const ends = open === "" && line.trim() === "";
    if (!long && !ends && at - start < LONGEST) continue;
    pieces.push(whole(text.slice(start, at), opened, open));
    start = at;
    opened = open;
  }
  return { pieces, rest: text.slice(start), fence: opened };
}

/** Where a line that is too long is cut: before the last word that fits, else within one. */
function broken(text: string, from: number): number {
  const most = from + LONGEST;
  const words = /^.*\s(?=\p{L})/su.exec(text.slice(from, most + 1))?.[0].length ?? 0;
  if (words > LONGEST / 2) return from + words;
  const code = text.charCodeAt(most - 1);
  return code >= 0xd800 && code < 0xdc00 ? most - 1 : most;
}

/** A piece that begins or ends inside of a code block, made whole. */
export function whole(piece: string, opened: string, open: string): string {
  const before = opened === "" ? "" : `${opened}\n`;
  const marks = FENCE.exec(open)?.[1] ?? "";
  return marks === "" ? `${before}${piece}` : `${before}${piece}${piece.endsWith("\n") ? "" : "\n"}${marks}`;
}

/** The opening line of the code block that goes on after this line. */
export function after(line: string, open: string): string {
  const found = FENCE.exec(line);
  const [marks, rest] = [found?.[1] ?? "", found?.[2] ?? ""];
  if (marks === "") return open;
  if (open === "") return marks.startsWith("`") && rest.includes("`") ? "" : line;
  const opening = FENCE.exec(open)?.[1] ?? "";
  const closes = marks[0] === opening[0] && marks.length >= opening.length && rest.trim() === "";
  return closes ? "" : open;
}
