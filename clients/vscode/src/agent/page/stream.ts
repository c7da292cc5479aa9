// A text that grows, drawn piece by piece: what is drawn once is never touched again. Refuses to draw more than is kept.

import { paragraphs, whole } from "../paragraphs";
import { element } from "./element";
import { markdown } from "./markdown";

export class Stream {
  readonly element: HTMLElement;
  private readonly tail = element("div", { class: "piece" });
  private rest = "";
  private fence = "";
  /** Where the drawn text begins and ends, counted from its very first character. */
  private from = 0;
  private end = 0;

  constructor(private readonly formatted: boolean) {
    const shape = { class: formatted ? "stream formatted" : "stream plain", tabindex: formatted ? false : "0", role: formatted ? false : "group" };
    this.element = element("div", { ...shape, "aria-label": formatted ? false : "Text" }, this.tail);
  }

  /** Draws what came since the last time; `cut` characters before `text` are gone. */
  show(text: string, cut: number): void {
    if (cut > this.from) this.clear(cut);
    const more = text.slice(this.end - cut);
    if (more === "") return;
    this.end = cut + text.length;
    const found = paragraphs(this.rest + more, this.fence);
    this.tail.before(...found.pieces.map((piece) => this.piece(piece)));
    this.rest = found.rest;
    this.fence = found.fence;
    this.draw(this.tail, whole(this.rest, this.formatted ? this.fence : "", ""));
  }

  /** Another text stands here now. */
  clear(cut = 0): void {
    const gone = cut > 0 ? [element("div", { class: "piece gone" }, `⋯ ${cut} characters before`)] : [];
    this.element.replaceChildren(...gone, this.tail);
    this.tail.replaceChildren();
    this.rest = this.fence = "";
    this.from = this.end = cut;
  }

  private piece(text: string): HTMLElement {
    const made = element("div", { class: "piece" });
    this.draw(made, text);
    return made;
  }

  private draw(into: HTMLElement, text: string): void {
    if (this.formatted) markdown(into, text);
    else into.textContent = text;
  }
}
