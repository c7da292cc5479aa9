// An item as an element that follows its changes. Refuses to build what is folded away.

import type { Call, Check, Hunk, Item, Note, Turnover, Words } from "../items";
import { textOf } from "../texts";
import { button, element } from "./element";
import { tell } from "./host";
import { Stream } from "./stream";

/** What is shown of one item. */
export interface Drawn {
  readonly element: HTMLElement;
  update(): void;
  /** Unfolds it. */
  open(): void;
  /** Buttons of its own, beside those of every item. */
  readonly tools?: readonly HTMLElement[];
}

export function drawn(item: Item): Drawn {
  const made = shape(item);
  made.element.classList.add("item", item.kind);
  made.element.dataset["id"] = item.id;
  if (item.depth > 0) made.element.classList.add("nested");
  const copy = (): HTMLElement => button("Copy", { class: "copy", "aria-label": "Copy this entry" }, () => tell({ kind: "copy", text: textOf(item) }));
  made.element.append(element("div", { class: "tools" }, ...(made.tools ?? []), copy()));
  made.update();
  return made;
}

function shape(item: Item): Drawn {
  switch (item.kind) {
    case "words":
      return item.who === "thinking" || item.who === "given" ? folded(item) : spoken(item);
    case "call":
      return called(item);
    case "check":
      return checked(item);
    case "session":
      return separator(item);
    case "note":
      return noted(item);
  }
}

function spoken(words: Words): Drawn {
  const stream = new Stream(true);
  const label = words.who === "person" ? "You" : words.who === "spec" ? `Spec ${words.title}` : "Agent";
  const title = words.who === "agent" ? [] : [element("div", { class: "who" }, words.who === "spec" ? pathLink(words.title, 0) : label)];
  const article = element("article", { tabindex: "-1", "aria-label": label, class: `by-${words.who}` }, ...title, stream.element);
  const update = (): void => {
    article.classList.toggle("live", words.live);
    stream.show(words.text, words.cut);
  };
  return { element: article, update, open: () => undefined };
}

function folded(words: Words): Drawn {
  const stream = new Stream(words.who === "thinking");
  const size = element("span", { class: "size" });
  const title = words.who === "thinking" ? "Thinking" : words.title;
  const body = new Foldable(element("summary", {}, title, size), stream.element);
  const article = element("article", { tabindex: "-1", "aria-label": title, class: `by-${words.who}` }, body.element);
  const update = (): void => {
    article.classList.toggle("live", words.live);
    size.textContent = ` ${words.cut + words.text.length} characters`;
    if (body.isOpen) stream.show(words.text, words.cut);
  };
  body.whenOpened(update);
  return { element: article, update, open: () => body.open() };
}

const STATES = { writing: "is being written", running: "runs", done: "done", failed: "failed", passed: "passed" };
const SIGNS = { writing: "…", running: "▸", done: "✓", failed: "✗", passed: "✓" };

function called(call: Call): Drawn {
  const [sign, about, state] = [element("span", { class: "sign", "aria-hidden": "true" }), element("span", { class: "subject" }), element("span", { class: "state" })];
  const summary = element("summary", {}, sign, element("span", { class: "name" }, call.name), about, state);
  const [changes, output] = [element("div", { class: "changes" }), new Stream(false)];
  const body = new Foldable(summary, changes, output.element);
  const article = element("article", { tabindex: "-1", "aria-label": `Call of ${call.name}` }, body.element);
  const jump = button("Open", { class: "jump", title: "Open the file", hidden: true }, () => tell({ kind: "open", path: call.path, line: call.line }));
  let shown: Call["state"] = call.state;
  const fill = (): void => {
    if (!body.isOpen || call.state === "writing") return;
    changes.replaceChildren(...call.hunks.slice(0, 20).map((hunk) => hunkOf(call, hunk)));
    if (shown !== call.state) output.clear();
    shown = call.state;
    output.show(call.output, call.cut);
  };
  body.whenOpened(fill);
  const update = (): void => {
    article.dataset["state"] = call.state;
    sign.textContent = SIGNS[call.state];
    about.textContent = call.subject;
    jump.hidden = call.path === "" || call.name === "list_directory";
    jump.setAttribute("aria-label", `Open ${call.path}`);
    state.textContent = [call.state === "writing" ? `${call.written} characters` : STATES[call.state], ...call.notes].join(" · ");
    if (!body.touched) body.set(call.hunks.length > 0 || (call.state === "running" && call.output !== "") || call.state === "failed");
    fill();
  };
  return { element: article, update, open: () => body.open(), tools: [jump] };
}

function hunkOf(call: Call, hunk: Hunk): HTMLElement {
  const lines = hunk.lines.map((line) => {
    const name = { "+": "ins", "-": "del", " ": "span" } as const;
    return element(name[line.sign], { class: "line" }, `${line.sign} ${line.text}\n`);
  });
  const place = hunk.line > 0 ? `${call.path}:${hunk.line}` : call.path;
  return element("figure", { class: "hunk", "aria-label": `Change at ${place}` }, element("figcaption", {}, pathLink(call.path, hunk.line, place)), element("pre", { tabindex: "0" }, ...lines));
}

function checked(check: Check): Drawn {
  const [sign, state] = [element("span", { class: "sign", "aria-hidden": "true" }), element("span", { class: "state" })];
  const what = check.phase === "before" ? "Before the attempt" : check.phase === "recheck" ? "Verified again" : "Verification";
  const summary = element("summary", {}, sign, element("span", { class: "name" }, what), element("code", { class: "subject" }, check.command), state);
  const output = new Stream(false);
  const body = new Foldable(summary, output.element);
  const article = element("article", { tabindex: "-1", "aria-label": `${what}: ${check.command}` }, body.element);
  const fill = (): void => {
    if (body.isOpen) output.show(check.output, check.cut);
  };
  body.whenOpened(fill);
  const update = (): void => {
    article.dataset["state"] = check.phase === "before" && check.state === "failed" ? "expected" : check.state;
    sign.textContent = SIGNS[check.state];
    state.textContent = check.state === "running" ? "runs" : `${STATES[check.state]} · ${check.end} · ${check.took.toFixed(1)} s`;
    if (!body.touched) body.set(check.state === "failed" && check.phase !== "before");
    fill();
  };
  return { element: article, update, open: () => body.open() };
}

function separator(item: Turnover): Drawn {
  const because = item.because === "" ? [] : [element("span", { class: "because" }, ` — ${item.because}`)];
  const heading = element("h2", {}, item.title, ...because);
  return { element: element("article", { tabindex: "-1", "aria-label": `Session: ${item.title}` }, heading), update: () => undefined, open: () => undefined };
}

function noted(note: Note): Drawn {
  const article = element("article", { tabindex: "-1", class: `tone-${note.tone}` });
  if (note.detail === "") {
    article.append(element("p", {}, note.text));
    return { element: article, update: () => undefined, open: () => undefined };
  }
  const body = new Foldable(element("summary", {}, note.text), element("pre", { tabindex: "0" }, note.detail));
  body.set(note.loud);
  article.append(body.element);
  return { element: article, update: () => undefined, open: () => body.open() };
}

/** Jumps to a file. */
function pathLink(path: string, line: number, text = path): HTMLElement {
  return button(text, { class: "link path", title: `Open ${path}` }, () => tell({ kind: "open", path, line }));
}

/** Details that a person folds; what the page folds by itself it leaves alone from then on. */
class Foldable {
  readonly element: HTMLDetailsElement;
  touched = false;

  constructor(summary: HTMLElement, ...body: HTMLElement[]) {
    this.element = element("details", {}, summary, element("div", { class: "body" }, ...body));
    summary.addEventListener("click", () => (this.touched = true));
  }

  get isOpen(): boolean {
    return this.element.open;
  }

  set(open: boolean): void {
    if (this.element.open !== open) this.element.open = open;
  }

  open(): void {
    this.touched = true;
    this.set(true);
  }

  whenOpened(fill: () => void): void {
    this.element.addEventListener("toggle", () => this.isOpen && fill());
  }
}
