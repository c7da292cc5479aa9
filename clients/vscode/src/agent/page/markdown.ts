// Markdown of models as elements. Refuses raw HTML, images and links that are followed without asking.

import MarkdownIt from "markdown-it";
import { tell } from "./host";

const PATH = /^(?!\d)[\w@.~-]*(?:\/[\w@.~-]+)*\.[A-Za-z]\w{0,9}(?::(\d+))?$/;
const reader = new MarkdownIt("default", { html: false, linkify: false, typographer: false });
reader.disable("image");
const { escapeHtml } = reader.utils;

reader.renderer.rules["link_open"] = (tokens, at) => {
  const href = String(tokens[at]?.attrGet("href") ?? "");
  return `<button type="button" class="link" data-href="${escapeHtml(href)}">`;
};
reader.renderer.rules["link_close"] = () => "</button>";
reader.renderer.rules["code_inline"] = (tokens, at) => {
  const text = tokens[at]?.content ?? "";
  const found = PATH.exec(text);
  if (found === null || !text.includes(".")) return `<code>${escapeHtml(text)}</code>`;
  const path = escapeHtml(text.replace(/:\d+$/, ""));
  return `<button type="button" class="link" data-path="${path}" data-line="${found[1] ?? "0"}"><code>${escapeHtml(text)}</code></button>`;
};

/** Draws Markdown into an element. */
export function markdown(into: HTMLElement, text: string): void {
  into.innerHTML = reader.render(text);
}

/** Follows what was pressed, if it leads anywhere. */
export function followed(event: MouseEvent): void {
  const pressed = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-href], [data-path]") : null;
  if (pressed === null) return;
  const { href, path, line } = pressed.dataset;
  if (href !== undefined) tell({ kind: "follow", href });
  else if (path !== undefined) tell({ kind: "open", path, line: Number(line ?? 0) });
}
