// The list of items: drawn once a frame, follows its end or stays where a person scrolled to. Refuses to know their meaning.

import type { Item } from "../items";
import type { Changes } from "../shelf";
import { type Drawn, drawn } from "./draw";
import { button, element } from "./element";
import { keep, kept } from "./host";
import { followed } from "./markdown";

/** Pixels from the end that still count as the end. */
const NEAR = 32;
/** Milliseconds after a gesture upwards in which being near the end does not mean to follow it. */
const GESTURE = 800;
const UP = new Set(["ArrowUp", "PageUp", "Home"]);

export class Log {
  readonly element = element("section", { id: "log", role: "log", "aria-live": "off", "aria-label": "What the agent does", tabindex: "0" });
  readonly toEnd = button("↓ Newest", { id: "to-end", hidden: true, title: "Follow the newest (End)" }, () => this.follow());
  private readonly content = element("div");
  private readonly shown = new Map<string, Drawn>();
  private following = kept().anchor === undefined;
  private gesture = Number.NEGATIVE_INFINITY;

  constructor(earlier: HTMLElement) {
    this.element.append(earlier, this.content);
    // Told once a frame when all is laid out: to ask for the height at any other time is to lay it out once more.
    // What was not drawn yet has a guessed height, so that the end moves when it comes into view.
    const end = new ResizeObserver(() => this.following && this.settle());
    end.observe(this.content);
    end.observe(this.element);
    this.element.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.element.addEventListener("wheel", (event) => (event.deltaY < 0 ? this.away() : this.back()), { passive: true });
    // The scroll bar is no part of what it scrolls.
    this.element.addEventListener("pointerdown", (event) => event.target === this.element && event.offsetX >= this.element.clientWidth && this.away());
    this.element.addEventListener("keydown", (event) => this.pressed(event));
    this.element.addEventListener("click", (event) => {
      // Who unfolds something wants to read it.
      if (event.target instanceof Element && event.target.closest("details:not([open]) > summary") !== null) this.away();
      followed(event);
    });
  }

  /** Everything that was shown is void; where one read stays if it is shown again. */
  clear(): void {
    for (const one of this.shown.values()) one.element.remove();
    this.shown.clear();
  }

  /** Draws what changed. */
  draw(items: readonly Item[], changes: Changes): void {
    for (const id of changes.removed) {
      this.shown.get(id)?.element.remove();
      this.shown.delete(id);
    }
    for (const item of changes.changed) {
      const known = this.shown.get(item.id);
      if (known === undefined) this.insert(items, item);
      else known.update();
    }
  }

  /** Shows where one read before, or the end. */
  restore(): void {
    const { anchor } = kept();
    const known = anchor === undefined ? undefined : this.shown.get(anchor);
    if (known === undefined) return this.follow();
    known.element.scrollIntoView({ block: "start" });
    this.toEnd.hidden = false;
  }

  /** Unfolds an item and brings it into view. */
  reveal(id: string): HTMLElement | undefined {
    const known = this.shown.get(id);
    if (known === undefined) return undefined;
    this.leave();
    known.open();
    known.element.scrollIntoView({ block: "center" });
    return known.element;
  }

  follow(): void {
    this.following = true;
    this.toEnd.hidden = true;
    keep({ anchor: undefined });
    this.settle();
  }

  private leave(): void {
    this.following = false;
    this.toEnd.hidden = false;
  }

  private insert(items: readonly Item[], item: Item): void {
    const made = drawn(item);
    this.shown.set(item.id, made);
    let next: Element | null = null;
    for (let at = items.lastIndexOf(item) + 1; at < items.length && next === null; at++) {
      next = this.shown.get(items[at]?.id ?? "")?.element ?? null;
    }
    this.content.insertBefore(made.element, next);
  }

  private settle(): void {
    this.element.scrollTop = this.element.scrollHeight;
  }

  private scrolled(): void {
    if (this.following) return;
    const left = this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight;
    const away = performance.now() - this.gesture < GESTURE;
    if (left <= NEAR && !away) this.follow();
    else keep({ anchor: this.top() });
  }

  /** The first item that can be seen. */
  private top(): string | undefined {
    const edge = this.element.getBoundingClientRect();
    const at = document.elementFromPoint(edge.left + edge.width / 2, edge.top + 4);
    return at?.closest<HTMLElement>(".item")?.dataset["id"];
  }

  /** Upwards, however slowly it begins: the end is no longer followed. */
  private away(): void {
    if (this.element.scrollHeight <= this.element.clientHeight) return;
    this.gesture = performance.now();
    this.leave();
  }

  private back(): void {
    this.gesture = Number.NEGATIVE_INFINITY;
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key === "End") return this.follow();
    if (UP.has(event.key)) this.away();
    else this.back();
    const step = event.ctrlKey || event.metaKey ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : undefined;
    if (step === undefined) return;
    event.preventDefault();
    this.go(step);
  }

  /** To the item before or after the one that has the focus. */
  private go(step: number): void {
    const all = [...this.element.querySelectorAll<HTMLElement>(".item")];
    const at = all.findIndex((one) => one.contains(document.activeElement));
    const next = all[at < 0 ? all.length - 1 : Math.min(Math.max(at + step, 0), all.length - 1)];
    this.leave();
    next?.focus();
  }
}
