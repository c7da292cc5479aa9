// The fold of the Agent view: what is shown is a function of the log, whatever of the stream came beside it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { about, glimpse } from "../src/agent/calls";
import type { Item } from "../src/agent/items";
import { MOST_ITEMS, MOST_TEXT } from "../src/agent/shelf";
import { found, textOf } from "../src/agent/texts";
import { Transcript } from "../src/agent/transcript";
import type { OutputParams, WireEvent } from "../src/protocol.gen";

let seq = 0;

/** An event with whatever else it has. */
function event(type: WireEvent["type"], rest: object = {}): WireEvent {
  seq += 1;
  const who = { actor: "agent", clientId: null, agentId: "a1", commandId: null };
  return { seq, at: "2026-01-01T00:00:00Z", projectId: "p", sessionId: "s", type, ...who, ...rest } as unknown as WireEvent;
}

function output(kind: OutputParams["kind"], block: string, text: string, rest: object = {}): OutputParams {
  return { projectId: "p", sessionId: "s", block, kind, name: "", text, dropped: 0, fromStart: false, ...rest };
}

const begins = (rest: object = {}): WireEvent =>
  event("sessionStarted", { role: "executor", model: "m", taskId: "01/1.1", number: 1, because: "", parentId: null, ...rest });
const asks = (turn: number, attemptNo = 1): WireEvent => event("turnRequested", { turn, attemptNo });
const says = (turn: number, text: string, thinking = ""): WireEvent => event("turnFinished", { turn, text, thinking });
const calls = (callId: string, name: string, input: object): WireEvent => event("toolRequested", { callId, name, input: JSON.stringify(input) });
const settles = (callId: string, text: string, isError = false): WireEvent => event("toolSettled", { callId, text, isError, rule: "" });

function shown(items: readonly Item[]): string[] {
  return items.map((item) => `${item.kind}: ${textOf(item)}`);
}

test("where another session takes over stands a line that says which and why", () => {
  const transcript = new Transcript();
  transcript.hear(begins());
  transcript.hear(event("sessionEnded", { outcome: "rotated", reason: "the window is full" }));
  transcript.hear(begins({ sessionId: "s2", number: 2, because: "the window was full" }));
  assert.deepEqual(shown(transcript.items), [
    "session: executor · m · task 01/1.1",
    "session: executor · m · task 01/1.1 · session 2\nthe window was full",
  ]);
});

test("a turn that streamed and one that was fetched read the same", () => {
  const story = [begins(), asks(1), says(1, "I write it.", "Hm.\nSo."), calls("c1", "run_command", { command: "ls" }), settles("c1", "a\nb")];
  const fetched = new Transcript();
  story.forEach((one) => fetched.hear(one));
  const live = new Transcript();
  story.slice(0, 2).forEach((one) => live.hear(one));
  live.stream(output("thinking", "1.0", "Hm."));
  live.stream(output("thinking", "1.1", "So."));
  live.stream(output("text", "1.2", "I wri"));
  live.stream(output("text", "1.2", "te it."));
  live.stream(output("tool_input", "1.3", '{"command": "ls"}', { name: "run_command" }));
  story.slice(2, 4).forEach((one) => live.hear(one));
  live.stream(output("command", "c1", "a\n"));
  story.slice(4).forEach((one) => live.hear(one));
  assert.equal(shown(live.items).join("\n"), shown(fetched.items).join("\n").replace("\nSo.", "\nwords: So."));
});

test("pieces that were left out come with the end of the turn", () => {
  const transcript = new Transcript();
  [begins(), asks(1)].forEach((one) => transcript.hear(one));
  transcript.stream(output("text", "1.0", "end", { dropped: 20 }));
  transcript.hear(says(1, "All of the words at the end of the very long beginning to the end"));
  assert.deepEqual(shown(transcript.items).slice(1), ["words: All of the words at the end of the very long beginning to the end"]);
});

test("output that comes after its turn adds nothing; what was thought stands before what was said", () => {
  const transcript = new Transcript();
  [begins(), asks(1)].forEach((one) => transcript.hear(one));
  transcript.stream(output("text", "1.1", "I wr"));
  transcript.stream(output("tool_input", "1.2", '{"command"', { name: "run_command" }));
  [says(1, "I write it.", "Hm."), calls("c1", "run_command", { command: "ls" })].forEach((one) => transcript.hear(one));
  transcript.stream(output("thinking", "1.0", "Hm."));
  transcript.stream(output("text", "1.1", "ite it."));
  transcript.stream(output("tool_input", "1.2", "{}", { name: "run_command" }));
  assert.deepEqual(shown(transcript.items).slice(1), ["words: Hm.", "words: I write it.", "call: run_command ls"]);
});

test("what was thought stays where it was unfolded, and is told to its end", () => {
  const transcript = new Transcript();
  [begins(), asks(1)].forEach((one) => transcript.hear(one));
  transcript.stream(output("thinking", "1.0", "H"));
  const [, thought] = transcript.items;
  transcript.hear(says(1, "", "Hm."));
  assert.equal(transcript.items[1], thought);
  assert.equal(textOf(thought as Item), "Hm.");
});

test("a spec that comes behind the end of its session is not being written", () => {
  const transcript = new Transcript();
  [begins({ role: "planner" }), asks(1)].forEach((one) => transcript.hear(one));
  transcript.stream(output("spec", "1.0", "## Purp", { name: "specs/01.md" }));
  const [, words] = transcript.items;
  assert.ok(words?.kind === "words" && words.live);
  transcript.hear(event("sessionEnded", { outcome: "ended", reason: "" }));
  assert.equal(words.live, false);
  transcript.stream(output("spec", "2.0", "## Tasks", { name: "specs/01.md" }));
  assert.deepEqual(transcript.items.map((item) => item.kind === "words" && item.live), [false, false, false]);
});

test("tasks stand above the line that says that they are there, and below the one before, however late they come", () => {
  const transcript = new Transcript();
  const path = "specs/01.md";
  const written = (stage: string): WireEvent => event("specWritten", { planId: "plan", specId: "01", path, stage, offered: false });
  transcript.hear(begins({ sessionId: "s1", role: "planner" }));
  transcript.stream(output("spec", "01", "## Purpose", { name: path, sessionId: "s1" }));
  [written("specs"), begins({ sessionId: "s2", role: "planner" }), written("tasks")].forEach((one) => transcript.hear(one));
  transcript.stream(output("spec", "01", "- [ ] 1 Greet", { name: path, sessionId: "s2" }));
  transcript.hear(begins({ sessionId: "s3", role: "planner" }));
  transcript.stream(output("spec", "01", "- [ ] 1 Anew", { name: path, sessionId: "s3" }));
  const lines = shown(transcript.items).filter((line) => !line.startsWith("session"));
  const told = [`note: ${path} is written`, "words: - [ ] 1 Greet", `note: ${path} has its tasks`, "words: - [ ] 1 Anew"];
  assert.deepEqual(lines, ["words: ## Purpose", ...told]);
  assert.deepEqual(transcript.items.map((item) => item.kind === "words" && item.live), [false, false, false, false, false, false, false, true]);
});

test("a turn that is asked again says everything anew", () => {
  const transcript = new Transcript();
  [begins(), asks(1)].forEach((one) => transcript.hear(one));
  transcript.stream(output("text", "1.0", "half of"));
  transcript.stream(output("tool_input", "1.1", '{"pa', { name: "read_file" }));
  transcript.hear(event("turnFailed", { turn: 1, message: "it broke off", retryInS: 2 }));
  transcript.hear(asks(1, 2));
  transcript.stream(output("text", "1.0", "all of it"));
  assert.deepEqual(shown(transcript.items).slice(1), ["note: No answer: it broke off; next try in 2 s", "words: all of it"]);
  transcript.hear(event("turnFailed", { turn: 2, fault: "interrupted", message: "it was cut off by a pause", retryInS: null }));
  assert.deepEqual(shown(transcript.items).slice(3), ["note: It was cut off by a pause"], "which is no failure");
});

test("an event that is heard twice is one", () => {
  const transcript = new Transcript();
  const once = event("promptDelivered", { text: "Hurry", promptId: "p1" });
  transcript.hear(once);
  transcript.hear(once);
  assert.equal(transcript.items.length, 1);
});

test("what a sub-agent does stands together", () => {
  const transcript = new Transcript();
  transcript.hear(begins());
  transcript.hear(begins({ sessionId: "sub", parentId: "s", parentCallId: "c1", role: "subagent" }));
  transcript.hear(asks(1));
  transcript.hear(says(1, "meanwhile"));
  transcript.hear(event("turnFinished", { sessionId: "sub", turn: 1, text: "found", thinking: "" }));
  assert.deepEqual(transcript.items.map((item) => [item.session, item.depth]), [["s", 0], ["sub", 1], ["sub", 1], ["s", 0]]);
});

test("a long turn whose last pieces come behind its event is shown to its end", () => {
  const words = Array.from({ length: 3000 }, (_, number) => `word ${number}`).join(" ");
  const told = `${words.slice(0, 2000)}\n[${words.length - 4000} characters left out]\n${words.slice(-2000)}`;
  const shown = (streamed: string): string => {
    const transcript = new Transcript();
    for (const one of [begins(), asks(1)]) transcript.hear(one);
    transcript.stream(output("text", "1.0", streamed));
    transcript.hear(says(1, told));
    transcript.stream(output("text", "1.0", words.slice(streamed.length)));
    return textOf(transcript.items.at(-1) as Item);
  };
  assert.equal(shown(words), words);
  assert.equal(shown(words.slice(0, -700)), words);
  assert.equal(shown(words.slice(0, -2000)), words);
  assert.ok(shown(words.slice(0, -5000)).endsWith(`⋯\n${words.slice(-2000)}`));
  assert.equal(shown(words.slice(0, 100)), told);
});

test("an edit says where it was made", () => {
  const transcript = new Transcript();
  const edit = { start_line: 2, start_text: "a", end_line: 5, end_text: "d", new_text: "x\ny" };
  transcript.hear(calls("c1", "edit_file", { path: "./greet.py", edits: [edit] }));
  transcript.hear(event("editSettled", { editId: "e", path: "greet.py", applied: true, inBuffer: true, reason: "", diff: "" }));
  const [item] = transcript.items;
  assert.ok(item?.kind === "call");
  assert.equal(item.line, 2);
  assert.deepEqual(item.notes, ["changed in the editor, not saved yet"]);
  assert.deepEqual(item.hunks[0]?.lines.map((line) => line.sign + line.text), ["-a", " ⋯ 2 more", "-d", "+x", "+y"]);
});

test("an edit that was made shows the lines that it removed, where they stand now", () => {
  const transcript = new Transcript();
  const edit = { start_line: 2, start_text: "a", end_line: 4, end_text: "c", new_text: "x" };
  transcript.hear(calls("c1", "edit_file", { path: "greet.py", edits: [edit] }));
  const diff = "@@ -7,3 +7,1 @@\n-a\n--- b\n-c\n+x\n@@ -20,2 +17,0 @@\n-d\n\\ 50 more lines\n\\ 3 more places";
  transcript.hear(event("editSettled", { editId: "e", path: "greet.py", applied: true, inBuffer: false, reason: "", diff }));
  transcript.hear(settles("c1", "made"));
  transcript.hear(event("editSettled", { editId: "f", path: "greet.py", applied: true, inBuffer: false, reason: "", diff: "@@ -1,1 +1,1 @@\n-by\n+others" }));
  const [item] = transcript.items;
  assert.ok(item?.kind === "call");
  assert.equal(item.line, 7);
  assert.deepEqual(item.hunks.map((hunk) => hunk.line), [7, 17]);
  const lines = item.hunks.map((hunk) => hunk.lines.map((line) => line.sign + line.text));
  assert.deepEqual(lines, [["-a", "--- b", "-c", "+x"], ["-d", " ⋯ 50 more lines", " ⋯ 3 more places"]]);
});

test("memory is bounded, whatever comes", () => {
  const transcript = new Transcript();
  for (let turn = 1; turn <= MOST_ITEMS + 50; turn++) transcript.hear(says(turn, `turn ${turn}`));
  assert.ok(transcript.items.length <= MOST_ITEMS);
  assert.ok(transcript.shortened);
  transcript.hear(asks(9999));
  for (let piece = 0; piece < 60; piece++) transcript.stream(output("text", "9999.0", `${"x".repeat(9999)}\n`));
  const last = transcript.items.at(-1);
  assert.ok(last?.kind === "words");
  assert.ok(last.text.length <= 2 * MOST_TEXT);
  assert.equal(last.cut + last.text.length, 600_000);
});

test("who listens and what waits follows from the projection and what came after it", () => {
  const { people } = new Transcript();
  const session = { id: "s", agentId: "a1", role: "executor", taskId: "01/1.1", outcome: "", parentId: null };
  people.know({ seq, prompts: [{ id: "p1", agentId: "a1", text: "one", queuedAt: "" }], agents: [], sessions: [session] as never });
  people.hear(event("promptQueued", { promptId: "p2", toAgentId: "a1", text: "two" }));
  people.hear(event("promptDelivered", { promptId: "p1", text: "one" }));
  assert.deepEqual(people.pending.map((one) => one.text), ["two"]);
  people.hear(event("sessionEnded", { outcome: "rotated", reason: "" }));
  assert.equal(people.listening.length, 1);
  people.hear(event("sessionEnded", { outcome: "finished", reason: "" }));
  assert.equal(people.listening.length, 0);
});

test("who is at work is told whether it hears or not", () => {
  const { people } = new Transcript();
  people.hear(begins({ sessionId: "plan", role: "planner", taskId: null, agentId: null }));
  assert.deepEqual([people.working, people.listening.length], [{ role: "planner", taskId: null }, 0]);
  people.hear(begins());
  assert.deepEqual([people.working?.taskId, people.listening.length], ["01/1.1", 1]);
  people.hear(event("sessionEnded", { sessionId: "plan", outcome: "ended", reason: "" }));
  people.hear(event("sessionEnded", { outcome: "ended", reason: "" }));
  assert.equal(people.working, undefined);
});

test("input that is no JSON, or half of it, is shown as far as it can be read", () => {
  assert.equal(about("run_command", "{no").subject, "{no");
  assert.equal(glimpse('{"command": "make all", "timeo'), "make all");
  assert.equal(glimpse('{"command": "make a'), "");
});

test("search finds what is folded away and nothing for no words", () => {
  const transcript = new Transcript();
  transcript.hear(calls("c1", "run_command", { command: "ls" }));
  transcript.hear(settles("c1", "Hidden Treasure"));
  assert.equal(found(transcript.items, "hidden").length, 1);
  assert.equal(found(transcript.items, "").length, 0);
});

test("who is back in the middle of an answer shows what was said so far, once, however much of it stood there", () => {
  const whole = { fromStart: true };
  for (const shown of ["", "I ", "I write", "I wr1te", "I write it, and what was lost before"]) {
    const transcript = new Transcript();
    [begins(), asks(1)].forEach((one) => transcript.hear(one));
    if (shown !== "") {
      transcript.stream(output("thinking", "1.0", "Hm.", whole));
      transcript.stream(output("text", "1.1", shown, whole));
      transcript.stream(output("tool_input", "1.2", '{"pa', { name: "read_file", ...whole }));
    }
    transcript.stream(output("thinking", "1.0", "Hm. So.", whole));
    transcript.stream(output("text", "1.1", "I write", whole));
    transcript.stream(output("tool_input", "1.2", '{"path": "a', { name: "read_file", ...whole }));
    transcript.stream(output("text", "1.1", " it."));
    const items = transcript.items.slice(1);
    assert.deepEqual(items.map((item) => (item.kind === "words" ? item.text : item.kind === "call" ? item.output : "")), ["Hm. So.", "I write it.", '{"path": "a']);
    assert.equal(items[2]?.kind === "call" && items[2].written, 11);
    transcript.stream(output("text", "1.1", "the end", { fromStart: true, dropped: 90 }));
    assert.match(textOf(transcript.items[2] as Item), /^\s*⋯ 90 characters left out ⋯\nthe end$/);
  }
});

test("what a command printed so far takes the place of what it was seen to print, and not of its result", () => {
  const transcript = new Transcript();
  [begins(), asks(1), says(1, ""), calls("c1", "run_command", { command: "make" })].forEach((one) => transcript.hear(one));
  transcript.stream(output("command", "c1", "one\ntwo\n", { fromStart: true }));
  transcript.stream(output("command", "c1", "lost and found\n"));
  transcript.stream(output("command", "c1", "one\ntwo\nthree\n", { fromStart: true }));
  const printed = (): string | undefined => transcript.items.flatMap((item) => (item.kind === "call" ? [item.output] : [])).at(-1);
  assert.equal(printed(), "one\ntwo\nthree\n");
  transcript.hear(settles("c1", "one\n…\nthree\nexit code 0"));
  transcript.stream(output("command", "c1", "one\n", { fromStart: true }));
  assert.equal(printed(), "one\n…\nthree\nexit code 0");
});

test("what a proof printed stands below its command", () => {
  const transcript = new Transcript();
  transcript.hear(event("checkRequested", { checkId: "k", command: "make", phase: "after" }));
  transcript.hear(event("checkSettled", { checkId: "k", exitCode: 1, durationS: 1, output: "1 failed", timedOut: false, note: "" }));
  const check = transcript.items.at(-1);
  assert.equal(check?.kind === "check" && check.output, "1 failed");
});
