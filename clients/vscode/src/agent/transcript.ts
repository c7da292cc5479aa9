// Folds events, and output between them, into items. Refuses to ask, to draw and to keep what the log cannot give back.

import type { OutputParams, SessionStartedEvent, ToolRequestedEvent, ToolSettledEvent, WireEvent } from "../protocol.gen";
import { about, changed, glimpse, oneLine } from "./calls";
import type { Call, Check, Item, Words } from "./items";
import { lineOf } from "./notes";
import { People } from "./people";
import { type Changes, Shelf, grown } from "./shelf";

type Of<T extends WireEvent["type"]> = Extract<WireEvent, { type: T }>;
const SEARCHED = 60;
const OF_TURN: ReadonlySet<OutputParams["kind"]> = new Set(["thinking", "text", "tool_input"]);
const LEFT_OUT = /\n\[(\d+) characters left out\]\n/;

export class Transcript {
  readonly people = new People();
  private readonly shelf = new Shelf();
  private readonly nested = new Set<string>();
  /** Sessions whose words are a spec, which is shown as such. */
  private readonly writing = new Set<string>();
  private readonly turns = new Map<string, number>();
  /** The newest turn of each session that is over. Its output may come after it, as that is joined and sent later. */
  private readonly ends = new Map<string, number>();
  /** Sessions that ended; a spec may come behind its end, and no event holds its text. */
  private readonly over = new Set<string>();
  /** When each session began, and the newest line that says of a document that it stands. */
  private readonly begun = new Map<string, number>();
  private readonly written = new Map<string, { seq: number; line: Item }>();
  private heard = 0;

  get items(): readonly Item[] {
    return this.shelf.items;
  }

  get shortened(): boolean {
    return this.shelf.shortened;
  }

  /** Of the last event. */
  get seq(): number {
    return this.heard;
  }

  take(): Changes {
    return this.shelf.take();
  }

  /** One committed event; one that was heard already changes nothing. */
  hear(event: WireEvent): void {
    if (event.seq <= this.heard) return;
    this.heard = event.seq;
    this.people.hear(event);
    this.fold(event);
    const line = lineOf(event);
    if (line !== null) this.shelf.add({ kind: "note", ...this.placed(event), ...line });
  }

  /** A piece of the stream. */
  stream(output: OutputParams): void {
    if (OF_TURN.has(output.kind) && Number.parseInt(output.block, 10) <= (this.ends.get(output.sessionId) ?? -1)) return;
    const text = this.newsOf(output);
    switch (output.kind) {
      case "thinking":
        return this.grow(this.wordsOf(output), text);
      case "text":
        return this.writing.has(output.sessionId) ? undefined : this.grow(this.wordsOf(output), text);
      case "spec":
        return this.grow(this.specOf(output.sessionId, output.block, output.name), text);
      case "tool_input":
        return this.write(output, text);
      case "command":
        return this.print(output, text);
    }
  }

  /** Output that does not come any more; the events tell what it came to. */
  miss(characters: number): void {
    const placed = { ...this.of(`missed/${this.heard}/${this.shelf.items.length}`, ""), tone: "wait" as const, detail: "", loud: false };
    this.shelf.add({ kind: "note", ...placed, text: `${characters} characters of output were left out: too much at once` });
  }

  private fold(event: WireEvent): void {
    switch (event.type) {
      case "sessionStarted":
        return this.begin(event);
      case "messageAdded":
        return this.say(event, "given", "What the model was given", event.text);
      case "promptDelivered":
        return this.say(event, "person", "You", event.text);
      case "turnRequested":
        return this.unsay(event.sessionId, event.turn);
      case "turnFailed":
        return this.unsay(event.sessionId, event.turn);
      case "turnFinished":
        return this.finish(event);
      case "toolRequested":
        return this.call(event);
      case "toolSettled":
        return this.settle(event);
      case "sessionEnded":
        return this.leave(event.sessionId);
      case "editSettled":
        return this.edit(event);
      case "checkRequested":
        return this.check(event);
      case "checkSettled":
        return this.checked(event);
      case "specWritten":
        return this.stand(event);
      default:
    }
  }

  private begin(event: SessionStartedEvent): void {
    if (event.parentId !== null) this.nested.add(event.sessionId);
    this.begun.set(event.sessionId, event.seq);
    const task = event.taskId === null ? "" : ` · task ${event.taskId}`;
    const number = event.number > 1 ? ` · session ${event.number}` : "";
    const title = `${event.role} · ${event.model}${task}${number}`;
    this.shelf.add({ kind: "session", ...this.placed(event, event.sessionId), title, because: event.because });
  }

  private say(event: Of<"messageAdded" | "promptDelivered">, who: Words["who"], title: string, text: string): void {
    const kept = grown("", 0, text);
    // What a person said reaches the model as a message of its own just before.
    const last = this.shelf.items.at(-1);
    if (who === "person" && last?.kind === "words" && last.who === "given" && last.text.trim() === text.trim()) this.shelf.remove(last);
    this.shelf.add({ kind: "words", ...this.placed(event), who, title, ...kept, live: false });
  }

  /** A turn that is asked again says everything anew. */
  private unsay(session: string, turn: number): void {
    this.turns.set(session, turn);
    const block = `${session}/${turn}.`;
    this.drop((item) => item.id.startsWith(block) && (item.kind === "words" || (item.kind === "call" && item.state === "writing")));
  }

  private finish(event: Of<"turnFinished">): void {
    const block = `${event.sessionId}/${event.turn}.`;
    const said = this.recent((item): item is Words => item.kind === "words" && item.id.startsWith(block));
    for (const words of said) this.still(words);
    this.ends.set(event.sessionId, event.turn);
    if (!this.stands(said.filter((words) => words.who === "thinking"), event.thinking)) {
      const first = this.recent((item): item is Item => item.id.startsWith(block))[0];
      const thought = { kind: "words" as const, ...this.placed(event, `${event.seq}/thinking`), who: "thinking" as const, title: "" };
      this.shelf.add({ ...thought, ...grown("", 0, event.thinking), live: false }, first);
    }
    if (this.writing.has(event.sessionId) || this.stands(said.filter((words) => words.who === "agent"), event.text)) return;
    this.shelf.add({ kind: "words", ...this.placed(event), who: "agent", title: "", ...grown("", 0, event.text), live: false });
  }

  /** Whether what streamed is what the turn said in the end, its own end added; else it is gone. */
  private stands(streamed: readonly Words[], told: string): boolean {
    if (told === "") return true;
    const lack = lacking(streamed, told);
    const last = streamed.at(-1);
    // What was joined when the event went out comes too late to be told apart from what is shown here already.
    if (lack !== undefined && lack !== "" && last !== undefined) this.grow(last, lack);
    if (lack === undefined) streamed.forEach((words) => this.shelf.remove(words));
    return lack !== undefined;
  }

  private leave(session: string): void {
    this.over.add(session);
    this.drop((item) => item.kind === "call" && item.state === "writing" && item.session === session);
    this.recent((item): item is Words => item.kind === "words" && item.live && item.session === session).forEach((words) => this.still(words));
  }

  private still(words: Words): void {
    words.live = false;
    this.shelf.touch(words);
  }

  private call(event: ToolRequestedEvent): void {
    const block = `${event.sessionId}/${this.turns.get(event.sessionId) ?? 0}.`;
    const writing = (item: Item): item is Call => item.kind === "call" && item.state === "writing";
    const streamed = this.recent(writing).find((item) => item.id.startsWith(block) && item.name === event.name);
    const call = streamed ?? this.newCall(`${event.sessionId}/${event.callId}`, event.sessionId, event.name);
    this.shelf.remove(call);
    const known = about(event.name, event.input);
    const id = `${event.sessionId}/${event.callId}`;
    this.shelf.add({ ...call, ...known, id, at: event.at, written: event.input.length, output: "", state: "running" });
  }

  private settle(event: ToolSettledEvent): void {
    const call = this.shelf.get(`${event.sessionId}/${event.callId}`);
    if (call?.kind !== "call") return;
    call.state = event.isError ? "failed" : "done";
    call.rule = event.rule;
    // The words of a result stand in the log; what streamed by may lack pieces.
    if (event.text !== "") Object.assign(call, { output: event.text, cut: 0 });
    this.shelf.touch(call);
  }

  private edit(event: Of<"editSettled">): void {
    const about = (item: Item): item is Call => item.kind === "call" && item.path !== "" && event.path.endsWith(item.path.replace(/^\.\//, ""));
    const call = this.recent(about).at(-1);
    if (call === undefined) return;
    const where = event.inBuffer ? "changed in the editor, not saved yet" : "written to the file";
    call.notes = [...call.notes, event.applied ? where : `not changed: ${event.reason}`];
    const hunks = event.applied && call.state === "running" ? changed(event.diff) : [];
    if (hunks[0] !== undefined) Object.assign(call, { hunks, line: hunks[0].line });
    this.shelf.touch(call);
  }

  private check(event: Of<"checkRequested">): void {
    const { command, phase } = event;
    const placed = { ...this.placed(event), id: `check/${event.checkId}` };
    this.shelf.add({ kind: "check", ...placed, command, phase, state: "running", output: "", cut: 0, took: 0, end: "" });
  }

  private checked(event: Of<"checkSettled">): void {
    const check = this.shelf.get(`check/${event.checkId}`);
    if (check?.kind !== "check") return;
    const settled: Partial<Check> = { state: event.exitCode === 0 ? "passed" : "failed", took: event.durationS, end: ended(event) };
    Object.assign(check, settled, printed("", 0, event.output));
    this.shelf.touch(check);
  }

  private stand(event: Of<"specWritten">): void {
    for (const words of this.recent((item): item is Words => item.kind === "words" && item.who === "spec")) {
      if (words.title === event.path) this.still(words);
    }
    const offered = event.offered ? " is offered: you edited the file meanwhile" : event.stage === "tasks" ? " has its tasks" : " is written";
    const line = { kind: "note" as const, ...this.placed(event), tone: "good" as const, text: `${event.path}${offered}`, detail: "", loud: true };
    this.written.set(event.path, { seq: event.seq, line: this.shelf.add(line) });
  }

  /** What is new of it: of a block that is told from its start, whatever is not shown yet. */
  private newsOf(output: OutputParams): string {
    const left = output.dropped > 0 ? `\n⋯ ${output.dropped} characters left out ⋯\n` : "";
    const text = left + output.text;
    const block = output.kind === "spec" ? `spec/${output.block}` : output.block;
    const item = output.fromStart ? this.shelf.get(`${output.sessionId}/${block}`) : undefined;
    if (item?.kind === "words") return this.rest(item, item.text, text, { ...item, text: "", cut: 0 });
    if (item?.kind !== "call" || (item.state !== "writing" && item.state !== "running")) return text;
    return this.rest(item, item.output, text, { ...item, output: "", cut: 0, written: item.state === "writing" ? 0 : item.written });
  }

  /** What `text` has beyond what an item shows; where that is no part of it, `empty` takes the item's place. */
  private rest(item: Words | Call, shown: string, text: string, empty: Item): string {
    if (item.cut === 0 && text.startsWith(shown)) return text.slice(shown.length);
    this.shelf.add(empty, this.shelf.items[this.shelf.items.lastIndexOf(item) + 1]);
    return text;
  }

  private wordsOf(output: OutputParams): Words {
    const id = `${output.sessionId}/${output.block}`;
    const known = this.shelf.get(id);
    if (known?.kind === "words") return known;
    const who = output.kind === "thinking" ? "thinking" : "agent";
    return this.shelf.add({ kind: "words", ...this.of(id, output.sessionId), who, title: "", text: "", cut: 0, live: true });
  }

  private specOf(session: string, spec: string, path: string): Words {
    const id = `${session}/spec/${spec}`;
    const known = this.shelf.get(id);
    if (known?.kind === "words") return known;
    this.writing.add(session);
    this.drop((item) => item.kind === "words" && item.who === "agent" && item.live && item.session === session);
    // What is written was said before that, however late it comes.
    const written = this.written.get(path);
    const line = written !== undefined && (this.begun.get(session) ?? 0) < written.seq ? written.line : undefined;
    const live = line === undefined && !this.over.has(session);
    return this.shelf.add({ kind: "words", ...this.of(id, session), who: "spec", title: path, text: "", cut: 0, live }, line);
  }

  private grow(words: Words, text: string): void {
    Object.assign(words, grown(words.text, words.cut, text));
    this.shelf.touch(words);
  }

  private write(output: OutputParams, text: string): void {
    const id = `${output.sessionId}/${output.block}`;
    const known = this.shelf.get(id);
    const call = known?.kind === "call" ? known : this.shelf.add(this.newCall(id, output.sessionId, output.name));
    if (call.state !== "writing") return;
    call.written += text.length;
    Object.assign(call, printed(call.output, call.cut, text));
    if (call.subject === "" && call.cut === 0) call.subject = glimpse(call.output);
    this.shelf.touch(call);
  }

  private print(output: OutputParams, text: string): void {
    const call = this.shelf.get(`${output.sessionId}/${output.block}`);
    if (call?.kind !== "call" || call.state !== "running") return;
    Object.assign(call, printed(call.output, call.cut, text));
    this.shelf.touch(call);
  }

  private newCall(id: string, session: string, name: string): Call {
    const empty = { subject: "", path: "", line: 0, written: 0, hunks: [], output: "", cut: 0, rule: "", notes: [] };
    return { kind: "call", ...this.of(id, session), name, state: "writing", ...empty };
  }

  private placed(event: WireEvent, id = `${event.seq}`): { id: string; session: string; depth: 0 | 1; at: string } {
    const session = "sessionId" in event ? event.sessionId : "";
    return { ...this.of(id, session), at: event.at };
  }

  private of(id: string, session: string): { id: string; session: string; depth: 0 | 1; at: string } {
    return { id, session, depth: this.nested.has(session) ? 1 : 0, at: "" };
  }

  private recent<T extends Item>(is: (item: Item) => item is T): T[] {
    return this.shelf.items.slice(-SEARCHED).filter(is);
  }

  private drop(which: (item: Item) => boolean): void {
    for (const item of this.shelf.items.slice(-SEARCHED).filter(which)) this.shelf.remove(item);
  }
}

/** As `grown`, of what a call or a check shows. */
function printed(output: string, cut: number, more: string): { output: string; cut: number } {
  const kept = grown(output, cut, more);
  return { output: kept.text, cut: kept.cut };
}

/**
 * What the end of a turn lacks after what streamed of it: mostly nothing. Undefined: what is told counts alone.
 * Of a very long turn the log's event leaves out the middle, which stands only in what streamed.
 */
function lacking(said: readonly Words[], told: string): string | undefined {
  const streamed = said.map((words) => words.text).join("\n");
  if (streamed === told) return "";
  if (streamed !== "" && told.startsWith(streamed) && said.every((words) => words.cut === 0)) return told.slice(streamed.length);
  const gap = LEFT_OUT.exec(told);
  if (gap === null || streamed.length + told.length / 2 <= told.length) return undefined;
  const tail = told.slice(gap.index + gap[0].length);
  if (streamed.endsWith(tail)) return "";
  const whole = gap.index + Number(gap[1]) + tail.length;
  const lacks = whole - said.reduce((sum, words) => sum + words.cut + words.text.length, said.length - 1);
  const fits = lacks > 0 && lacks <= tail.length && streamed.endsWith(tail.slice(0, tail.length - lacks));
  return fits ? tail.slice(-lacks) : `\n⋯\n${tail}`;
}

function ended(event: Of<"checkSettled">): string {
  if (event.timedOut) return "ran out of time";
  return event.exitCode === null ? oneLine(event.note) || "did not end" : `exit status ${event.exitCode}`;
}
