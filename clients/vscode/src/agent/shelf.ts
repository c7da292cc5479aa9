// The items in their order, within bounds, and what became of them since the page was last drawn. Refuses to know what they mean.

import type { Item } from "./items";

export const MOST_ITEMS = 1500;
/** Given up at once, so that the page is not touched at every item. */
const GIVEN_UP = 250;
/** Characters of one text that are kept, and at most twice as many. */
export const MOST_TEXT = 200_000;

/** What to draw. */
export interface Changes {
  readonly removed: ReadonlySet<string>;
  readonly changed: ReadonlySet<Item>;
}

export class Shelf {
  readonly items: Item[] = [];
  /** Items were given up; they can be fetched again. */
  shortened = false;
  private byId = new Map<string, Item>();
  private removed = new Set<string>();
  private changed = new Set<Item>();

  get(id: string): Item | undefined {
    return this.byId.get(id);
  }

  /** The same id twice is one item. A sub-agent's stand together, all others in the order in which they come. */
  add<T extends Item>(item: T, before?: Item): T {
    const known = this.byId.get(item.id);
    if (known !== undefined) this.remove(known);
    const at = before === undefined ? -1 : this.items.lastIndexOf(before);
    this.items.splice(at >= 0 ? at : item.depth === 0 ? this.items.length : this.endOf(item.session), 0, item);
    this.byId.set(item.id, item);
    this.changed.add(item);
    if (this.items.length > MOST_ITEMS) this.shorten();
    return item;
  }

  touch(item: Item): void {
    if (this.byId.get(item.id) === item) this.changed.add(item);
  }

  remove(item: Item): void {
    const at = this.items.lastIndexOf(item);
    if (at < 0) return;
    this.items.splice(at, 1);
    this.forget(item);
  }

  /** What happened since the last call. */
  take(): Changes {
    const taken = { removed: this.removed, changed: this.changed };
    this.removed = new Set();
    this.changed = new Set();
    return taken;
  }

  private endOf(session: string): number {
    for (let at = this.items.length; at > 0; at--) if (this.items[at - 1]?.session === session) return at;
    return this.items.length;
  }

  private shorten(): void {
    this.shortened = true;
    this.items.splice(0, GIVEN_UP).forEach((item) => this.forget(item));
  }

  private forget(item: Item): void {
    this.byId.delete(item.id);
    this.changed.delete(item);
    this.removed.add(item.id);
  }
}

/** Adds to a text that keeps its end. */
export function grown(text: string, cut: number, more: string): { text: string; cut: number } {
  const whole = text + more;
  if (whole.length <= 2 * MOST_TEXT) return { text: whole, cut };
  const from = whole.indexOf("\n", whole.length - MOST_TEXT) + 1 || whole.length - MOST_TEXT;
  return { text: whole.slice(from), cut: cut + from };
}
