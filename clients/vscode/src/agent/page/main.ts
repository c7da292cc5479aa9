// The page of the Agent view: takes messages, draws once a frame. Refuses to ask the server anything itself.

import type { Note } from "../items";
import type { News, Reset, ToPage } from "../messages";
import { Transcript } from "../transcript";
import { Compose, nameOf } from "./compose";
import { button, element } from "./element";
import { Find } from "./find";
import { tell } from "./host";
import { Log } from "./log";

let transcript = new Transcript();
let frame = 0;

const earlier = button("Show earlier", { id: "earlier", hidden: true }, () => tell({ kind: "earlier" }));
const log = new Log(earlier);
const find = new Find(log, () => transcript.items);
const compose = new Compose();
const absent = element("p", { id: "absent", role: "status", hidden: true });
const spoken = element("div", { class: "unseen", role: "status", "aria-live": "polite" });
const roots = element("select", { "aria-label": "Project", hidden: true });
const at = element("span", { class: "at" }, "Agent");
const bar = element("header", { id: "bar" }, element("h1", { class: "unseen" }, "Specloom agent"), roots, at);

document.body.append(bar, find.element, element("main", {}, absent, log.element, log.toEnd), compose.element, spoken);
roots.addEventListener("change", () => tell({ kind: "look", root: roots.value }));
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "f") {
    event.preventDefault();
    find.show();
  }
});
window.addEventListener("message", (event: MessageEvent<ToPage>) => hear(event.data));
tell({ kind: "ready" });

function hear(message: ToPage): void {
  switch (message.kind) {
    case "reset":
      return reset(message);
    case "news":
      message.news.forEach(take);
      return soon();
    case "absent":
      absent.textContent = message.text;
      absent.hidden = false;
      return;
    case "find":
      return find.show();
    case "refused":
      return compose.refused(message.text, message.words);
  }
}

function reset(message: Reset): void {
  transcript = new Transcript();
  transcript.people.know(message.known);
  message.events.forEach((event) => transcript.hear(event));
  log.clear();
  absent.hidden = transcript.items.length > 0;
  absent.textContent = "Nothing has been planned or run here yet.";
  earlier.hidden = !message.earlier && !transcript.shortened;
  roots.replaceChildren(...message.choices.map((one) => element("option", { value: one.root, selected: one.root === message.root }, one.name)));
  roots.hidden = message.choices.length < 2;
  draw();
  log.restore();
}

function take(news: News): void {
  if ("event" in news) transcript.hear(news.event);
  else if ("output" in news) transcript.stream(news.output);
  else transcript.miss(news.missed);
}

function soon(): void {
  frame ||= requestAnimationFrame(draw);
}

function draw(): void {
  frame = 0;
  const changes = transcript.take();
  log.draw(transcript.items, changes);
  compose.draw(transcript.people);
  absent.hidden = transcript.items.length > 0;
  const { working } = transcript.people;
  const who = working === undefined ? "No agent is at work" : `Agent · ${nameOf(working)}`;
  if (at.textContent !== who) at.textContent = who;
  const loud = [...changes.changed].filter((item): item is Note => item.kind === "note" && item.loud).at(-1);
  if (loud !== undefined) spoken.textContent = loud.text;
}
