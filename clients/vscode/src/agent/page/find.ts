// Search in what is shown, folded text included. Refuses to hide anything.

import type { Item } from "../items";
import { found } from "../texts";
import { button, element } from "./element";
import type { Log } from "./log";

const NAME = "found";

export class Find {
  private readonly words = element("input", { type: "search", "aria-label": "Find in the agent's work", placeholder: "Find" });
  private readonly count = element("span", { class: "count", "aria-live": "polite" });
  readonly element = element("div", { id: "find", role: "search", hidden: true });
  private hits: readonly Item[] = [];
  private at = -1;

  constructor(
    private readonly log: Log,
    private readonly items: () => readonly Item[],
  ) {
    const step = (sign: string, label: string, by: number): HTMLElement => button(sign, { "aria-label": label, title: label }, () => this.go(by));
    const close = button("✕", { "aria-label": "Close search", title: "Close (Escape)" }, () => this.hide());
    this.element.append(this.words, this.count, step("↑", "Previous (Shift+Enter)", -1), step("↓", "Next (Enter)", 1), close);
    this.words.addEventListener("input", () => this.look());
    this.words.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.go(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") this.hide();
    });
  }

  show(): void {
    this.element.hidden = false;
    this.words.focus();
    this.words.select();
    this.look();
  }

  hide(): void {
    this.element.hidden = true;
    CSS.highlights.delete(NAME);
    this.log.element.focus();
  }

  /** The newest is the nearest. */
  private look(): void {
    this.hits = found(this.items(), this.words.value);
    this.at = this.hits.length - 1;
    this.mark();
  }

  private go(by: number): void {
    const [hit, words] = [this.hits[this.at], this.words.value];
    this.hits = found(this.items(), words);
    const at = hit === undefined ? this.hits.length - 1 : this.hits.indexOf(hit) + by;
    this.at = (at + this.hits.length) % Math.max(this.hits.length, 1);
    this.mark();
  }

  private mark(): void {
    const hit = this.hits[this.at];
    this.count.textContent = this.words.value === "" ? "" : hit === undefined ? "Nothing found" : `${this.at + 1} of ${this.hits.length}`;
    CSS.highlights.delete(NAME);
    const shown = hit === undefined ? undefined : this.log.reveal(hit.id);
    // What was folded is filled after it unfolds.
    if (shown !== undefined) requestAnimationFrame(() => requestAnimationFrame(() => this.highlight(shown)));
  }

  private highlight(shown: HTMLElement): void {
    const ranges = rangesOf(shown, this.words.value.toLowerCase());
    CSS.highlights.set(NAME, new Highlight(...ranges));
    ranges[0]?.startContainer.parentElement?.scrollIntoView({ block: "center" });
  }
}

function rangesOf(within: HTMLElement, words: string): Range[] {
  const ranges: Range[] = [];
  const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null && words !== ""; node = walker.nextNode()) {
    const text = (node.textContent ?? "").toLowerCase();
    for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + words.length);
      ranges.push(range);
    }
  }
  return ranges;
}
