// Cuts Markdown that streams in into pieces that never change again, so that each is rendered once. Refuses to look back.

/** Whole pieces, and what still grows. */
export interface Cut {
  readonly pieces: readonly string[];
  readonly rest: string;
  /** The opening line of the code block that `rest` is inside of; empty: of none. */
  readonly fence: string;
}

/** A piece without a blank line is cut after this many characters all the same. */
export const LONGEST = 4000;
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;

/** Cuts at blank lines outside of code blocks. `rest` of one call, with what came since, is the `text` of the next. */
export function paragraphs(text: string, fence: string): Cut {
  const pieces: string[] = [];
  let open = fence;
  let start = 0;
  let opened = fence;
  for (let at = 0; ; ) {
    const end = text.indexOf("\n", at);
    if (end < 0) break;
    const line = text.slice(at, end);
    open = after(line, open);
    at = end + 1;
    const ends = open === "" && line.trim() === "";
    if (!ends && at - start < LONGEST) continue;
    pieces.push(whole(text.slice(start, at), opened, open));
    start = at;
    opened = open;
  }
  return { pieces, rest: text.slice(start), fence: opened };
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
