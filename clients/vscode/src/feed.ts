// What one project tells: a snapshot, then every event after it, once and in order. Refuses to keep more than the last
// sequence number, and to guess: a log that is another one is asked for anew.

import type { ProjectGetResult } from "./protocol.gen";
import { type Gap, type Health, type Output, type Wire, type WireEvent, reasonOf } from "./wire";

/** Hears of one project or of all. */
export interface ProjectListener {
  /** What is true now; whatever was heard of this project before is void. Events go on after its `seq`. */
  snapshot?(project: ProjectGetResult): void;
  /** One committed event; `seq` rises, also over restarts of the server. */
  event?(event: WireEvent, projectId: string): void;
  /** A piece of the lossy stream. */
  output?(output: Output, projectId: string): void;
  /** Output is missing, and events come late (but complete). */
  gap?(gap: Gap, projectId: string): void;
  health?(health: Health, projectId: string): void;
}

/** Seconds between signs of life. */
export const HEARTBEAT_S = 15;

export class Feed {
  /** The end of what was heard; -1: nothing yet. */
  seq = -1;
  projectId = "";
  /** Another process hosts the root: there are no live events until somebody asks again. */
  readOnly = false;

  constructor(
    readonly root: string,
    private readonly wire: Wire,
    private readonly heard: ProjectListener,
  ) {}

  /** Goes on after the last event, or from a new snapshot where there is nothing to go on from. */
  async attach(): Promise<void> {
    if (this.seq >= 0 && !this.readOnly && (await this.subscribed())) {
      return;
    }
    await this.start();
    if (!this.readOnly && !(await this.subscribed())) {
      // The log was replaced between the two requests.
      await this.start();
      await this.subscribed();
    }
  }

  /** An event of this project; one that was heard before is dropped. */
  hear(event: WireEvent): void {
    if (this.seq >= 0 && event.seq > this.seq) {
      this.seq = event.seq;
      this.heard.event?.(event, this.projectId);
    }
  }

  private async start(): Promise<void> {
    const project = await this.wire.request("specloom/project/get", { root: this.root });
    this.projectId = project.id;
    this.readOnly = project.readOnly;
    this.seq = project.seq;
    this.heard.snapshot?.(project);
  }

  private async subscribed(): Promise<boolean> {
    try {
      const asked = { root: this.root, since: this.seq, output: true, health: true, heartbeatS: HEARTBEAT_S };
      const answer = await this.wire.request("specloom/events/subscribe", asked);
      return answer.projectId === this.projectId;
    } catch (error) {
      if (reasonOf(error) === "seq-ahead") {
        return false;
      }
      throw error;
    }
  }
}

