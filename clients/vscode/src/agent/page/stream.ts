// A text that grows, drawn piece by piece: what is drawn once is never touched again. Refuses to draw more than is kept.

import { paragraphs, whole } from "../paragraphs";
import { element } from "./element";
import { markdown } from "./markdown";

const SHEET = 24;

export class Stream {
  readonly element: HTMLElement;
  private readonly tail = element("div", { class: "piece" });
  private readonly gone = element("div", { class: "piece gone" });
  /** What is drawn for good, each with where it ends. */
  private pieces: { readonly element: HTMLElement; readonly end: number }[] = [];
  private sheet: HTMLElement | undefined;
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
    if (cut > this.end) this.clear(cut);
    else if (cut > this.from) this.shorten(cut);
    const more = text.slice(this.end - cut);
    if (more === "") return;
    this.end = cut + text.length;
    const found = paragraphs(this.rest + more, this.fence, this.formatted);
    let end = this.end - found.rest.length - found.pieces.reduce((sum, piece) => sum + piece.length, 0);
    const made = found.pieces.map((piece) => ({ element: this.piece(piece), end: (end += piece.length) }));
    made.forEach((piece) => this.place(piece.element));
    this.pieces.push(...made);
    this.rest = found.rest;
    this.fence = found.fence;
    this.draw(this.tail, whole(this.rest, this.fence, ""));
  }

  /** Another text stands here now. */
  clear(cut = 0): void {
    this.element.replaceChildren(this.tail);
    this.tail.replaceChildren();
    this.pieces = [];
    this.sheet = undefined;
    this.rest = this.fence = "";
    this.from = this.end = cut;
    this.tellGone(cut);
  }

  /** Gives up what is not kept any more, and draws nothing anew. */
  private shorten(cut: number): void {
    const kept = this.pieces.findIndex((piece) => piece.end > cut);
    const gone = this.pieces.splice(0, kept < 0 ? this.pieces.length : kept);
    for (const { element: piece } of gone) {
      const sheet = piece.parentElement;
      piece.remove();
      if (sheet?.childElementCount === 0) sheet.remove();
    }
    this.from = cut;
    this.tellGone(cut);
  }

  private tellGone(cut: number): void {
    if (cut === 0) return;
    this.gone.textContent = `⋯ ${cut} characters before`;
    this.element.prepend(this.gone);
  }

  /** Pieces lie on sheets, of which the browser draws those in view: it looks at each sheet in each frame. */
  private place(piece: HTMLElement): void {
    if (this.sheet === undefined || this.sheet.childElementCount >= SHEET || this.sheet.parentElement === null) {
      this.sheet = element("div", { class: "sheet" });
      this.tail.before(this.sheet);
    }
    this.sheet.append(piece);
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
