// Who can be spoken to, and what waits to be heard. Refuses to guess: it is the projection at some seq and the events since.

import type { ProjectGetResult, WireEvent } from "../protocol.gen";
import type { Listening, Pending } from "./items";

/** What of a projection tells it. */
export type Known = Pick<ProjectGetResult, "seq" | "prompts" | "agents" | "sessions">;

/** Whoever is at work, whether it hears or not. */
export interface Working {
  readonly role: string;
  readonly taskId: string | null;
}

export class People {
  private readonly waiting = new Map<string, Pending>();
  private readonly open = new Map<string, Listening>();
  private readonly busy = new Map<string, Working>();
  private seq = 0;

  /** Only executors hear; sub-agents and summarisers are their business. */
  get listening(): readonly Listening[] {
    return [...this.open.values()];
  }

  /** Who began last of those at work; sub-agents are part of others. */
  get working(): Working | undefined {
    return [...this.busy.values()].at(-1);
  }

  get pending(): readonly Pending[] {
    return [...this.waiting.values()];
  }

  /** Events up to `known.seq` are in it. */
  know(known: Known): void {
    this.seq = known.seq;
    this.waiting.clear();
    this.open.clear();
    this.busy.clear();
    for (const { id, agentId, text } of known.prompts) this.waiting.set(id, { id, agentId, text });
    for (const session of known.sessions) {
      if (session.outcome === "" && session.parentId === null) this.begin(session.agentId, session.role, session.taskId, session.id);
    }
  }

  hear(event: WireEvent): void {
    if (event.seq <= this.seq) return;
    switch (event.type) {
      case "promptQueued":
        this.waiting.set(event.promptId, { id: event.promptId, agentId: event.toAgentId, text: event.text });
        break;
      case "promptWithdrawn":
      case "promptDelivered":
        this.waiting.delete(event.promptId);
        break;
      case "sessionStarted":
        if (event.parentId === null) this.begin(event.agentId ?? "", event.role, event.taskId, event.sessionId);
        break;
      case "sessionEnded":
        this.busy.delete(event.sessionId);
        if (event.outcome !== "rotated") this.close(event.sessionId);
        break;
      default:
    }
  }

  private begin(agentId: string, role: string, taskId: string | null, sessionId: string): void {
    this.busy.set(sessionId, { role, taskId });
    if (role === "executor" && agentId !== "") this.open.set(agentId, { agentId, role, taskId, sessionId });
  }

  private close(session: string): void {
    for (const one of this.open.values()) if (one.sessionId === session) this.open.delete(one.agentId);
  }
}
