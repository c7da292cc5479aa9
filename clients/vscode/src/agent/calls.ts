// Reads the input of tool calls, whole or half streamed, and what came of edits. Refuses nothing: what it cannot read is
// shown as it is.

import type { DiffLine, Hunk } from "./items";

/** What a call is about. */
export interface About {
  readonly subject: string;
  readonly path: string;
  readonly line: number;
  readonly hunks: readonly Hunk[];
}

const MOST_LINES = 40;
const GLIMPSED = 800;
const SUBJECTS = ["command", "path", "pattern", "query", "question", "task", "reason", "remaining", "output"];

/** Of the whole input, JSON as the model sent it. */
export function about(name: string, input: string): About {
  const values = parsed(input);
  if (values === null) return { subject: oneLine(input), path: "", line: 0, hunks: [] };
  const key = SUBJECTS.find((one) => typeof values[one] === "string");
  const path = text(values["path"]);
  const hunks = hunksOf(name, values);
  return {
    subject: oneLine(key === undefined ? "" : text(values[key])),
    path,
    line: hunks[0]?.line ?? number(values["start_line"]),
    hunks,
  };
}

/** What can be told of an input that is still being written. */
export function glimpse(input: string): string {
  const found = /("(?:command|path|pattern|query)"\s*:\s*"(?:[^"\\]|\\.)*")/.exec(input.slice(0, GLIMPSED));
  return found?.[1] === undefined ? "" : about("", `{${found[1]}}`).subject;
}

function hunksOf(name: string, values: Record<string, unknown>): Hunk[] {
  if (name === "write_file") return [{ line: 0, lines: bounded(signed("+", text(values["content"]))) }];
  const edits = values["edits"];
  if (name !== "edit_file" || !Array.isArray(edits)) return [];
  return edits.filter(isObject).map(hunkOf);
}

/** What an edit changed, by the diff that its event tells; its places are those of the file as it is then. */
export function changed(diff: string): Hunk[] {
  const found: { line: number; lines: DiffLine[] }[] = [];
  for (const line of diff === "" ? [] : diff.split("\n")) {
    const place = /^@@ -\d+,\d+ \+(\d+),\d+ @@$/.exec(line);
    const [sign, text] = [line.slice(0, 1), line.slice(1)];
    if (place !== null) found.push({ line: Math.max(Number(place[1]), 1), lines: [] });
    else found.at(-1)?.lines.push(sign === "-" || sign === "+" ? { sign, text } : { sign: " ", text: `⋯${text}` });
  }
  return found;
}

/** An edit names only the ends of what it replaces; what lies between is counted until it was made. */
function hunkOf(edit: Record<string, unknown>): Hunk {
  const first = number(edit["start_line"]);
  const last = number(edit["end_line"]);
  const removed: DiffLine[] = [];
  if (last >= first && first > 0) {
    removed.push({ sign: "-", text: text(edit["start_text"]) });
    if (last - first > 1) removed.push({ sign: " ", text: `⋯ ${last - first - 1} more` });
    if (last > first) removed.push({ sign: "-", text: text(edit["end_text"]) });
  }
  return { line: Math.max(first, 1), lines: bounded([...removed, ...signed("+", text(edit["new_text"]))]) };
}

function signed(sign: DiffLine["sign"], whole: string): DiffLine[] {
  if (whole === "") return [];
  return whole.replace(/\n$/, "").split("\n").map((line) => ({ sign, text: line }));
}

function bounded(lines: DiffLine[]): DiffLine[] {
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES), { sign: " ", text: `⋯ ${lines.length - MOST_LINES} more lines` }];
}

function parsed(input: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(input === "" ? "{}" : input);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** The first line, at most 200 characters. */
export function oneLine(whole: string): string {
  const line = whole.trim().split("\n", 1)[0] ?? "";
  const more = line.length < whole.trim().length || line.length > 200;
  return more ? `${line.slice(0, 200)} …` : line;
}
