// The line that steers: says something to an agent, shows what it has not heard yet. Refuses to believe that it was heard.

import type { Listening, Pending } from "../items";
import type { People, Working } from "../people";
import { button, element } from "./element";
import { keep, kept, tell } from "./host";

const NOBODY = "No agent is at work; run a task to speak to one";

export class Compose {
  readonly element: HTMLFormElement;
  private readonly who = element("select", { "aria-label": "Agent", hidden: true });
  private readonly words = element("textarea", { rows: "2", "aria-label": "Say something to the agent" });
  private readonly send = element("button", { type: "submit", class: "primary" }, "Send");
  private readonly waiting = element("ul", { class: "waiting", "aria-label": "Not heard yet" });
  private readonly refusal = element("p", { class: "refusal", role: "alert" });
  private drawn = "";

  constructor() {
    this.words.value = kept().draft ?? "";
    this.element = element("form", { id: "compose", "aria-label": "Speak to the agent" }, this.waiting, this.refusal, element("div", { class: "line" }, this.who, this.words, this.send));
    this.words.addEventListener("input", () => keep({ draft: this.words.value }));
    this.words.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.element.requestSubmit();
    });
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.say();
    });
    this.show([], [], undefined);
  }

  /** Who listens, and what waits, now. */
  draw(people: People): void {
    this.show(people.listening, people.pending, people.working);
  }

  /** It was not taken: the words come back unless others stand there. */
  refused(text: string, words: string): void {
    this.refusal.textContent = text;
    if (this.words.value === "") this.words.value = words;
    keep({ draft: this.words.value });
  }

  private say(): void {
    const text = this.words.value.trim();
    if (text === "" || this.who.value === "") return;
    tell({ kind: "say", agentId: this.who.value, text });
    this.words.value = "";
    this.refusal.textContent = "";
    keep({ draft: "" });
  }

  private show(listening: readonly Listening[], pending: readonly Pending[], working: Working | undefined): void {
    const state = JSON.stringify([listening, pending, working]);
    if (state === this.drawn) return;
    this.drawn = state;
    const chosen = this.who.value;
    this.who.replaceChildren(...listening.map((one) => element("option", { value: one.agentId, selected: one.agentId === chosen }, nameOf(one))));
    this.who.hidden = listening.length < 2;
    this.send.disabled = listening.length === 0;
    this.words.placeholder = listening[0] === undefined ? nobody(working) : `Say something to the agent (${nameOf(listening[0])}); it hears it at its next turn`;
    this.waiting.replaceChildren(...pending.map(entry));
    this.waiting.hidden = pending.length === 0;
  }
}

function entry(one: Pending): HTMLElement {
  const withdraw = button("Withdraw", { "aria-label": `Withdraw: ${one.text.slice(0, 80)}` }, () => tell({ kind: "withdraw", promptId: one.id }));
  return element("li", {}, element("span", { class: "waits" }, "Waits for the next turn"), element("span", { class: "text" }, one.text), withdraw);
}

function nobody(working: Working | undefined): string {
  return working === undefined ? NOBODY : `The ${working.role} cannot be spoken to while it works`;
}

export function nameOf(one: Working): string {
  return one.taskId === null ? one.role : `task ${one.taskId}`;
}
