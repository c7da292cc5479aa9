// Items as plain text: to be copied and searched. Refuses markup.

import type { Item } from "./items";

export function textOf(item: Item): string {
  switch (item.kind) {
    case "words":
      return item.text;
    case "call":
      return joined(`${item.name} ${item.subject}`, ...item.hunks.map(diffOf), ...item.notes, item.state === "writing" ? "" : item.output);
    case "check":
      return joined(`$ ${item.command}`, item.output, item.end);
    case "session":
      return joined(item.title, item.because);
    case "note":
      return joined(item.text, item.detail);
  }
}

/** Which items hold the words, in their order; none for no words. */
export function found(items: readonly Item[], words: string): Item[] {
  const wanted = words.toLowerCase();
  return wanted === "" ? [] : items.filter((item) => textOf(item).toLowerCase().includes(wanted));
}

function diffOf(hunk: { readonly lines: readonly { readonly sign: string; readonly text: string }[] }): string {
  return hunk.lines.map((line) => `${line.sign} ${line.text}`).join("\n");
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== "").join("\n");
}
