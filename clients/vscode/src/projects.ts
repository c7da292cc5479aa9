// All projects of the window as projections that follow their events, and who wants to hear of changes. Refuses to ask
// the server more often than it answers: snapshots are joined, one at a time, and rarer the longer one takes.

import type { Connection, Link } from "./connection";
import { type Change, Projection } from "./projection";
import type { ProjectGetResult, WireEvent } from "./protocol.gen";

/** Milliseconds until a snapshot is asked for after what made it necessary. */
const SOON = 250;
/** How many times the duration of the last snapshot is waited until the next. */
const REST = 4;

export interface ProjectsListener {
  /** A project came, or is another one: everything of it is new. */
  opened?(project: Projection): void;
  changed?(project: Projection, change: Change): void;
  closed?(root: string): void;
}

interface Followed {
  projection: Projection;
  /** Events since a snapshot was asked for; they go on top of it. */
  meanwhile: WireEvent[] | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  tookMs: number;
}

/** The part of the connection that is needed here. */
export type Source = Pick<Connection, "listen" | "onChanged" | "request" | "rootOf" | "roots" | "connected">;

export class Projects implements Link {
  private readonly followed = new Map<string, Followed>();
  private readonly listeners = new Set<ProjectsListener>();
  private readonly links: Link[];

  constructor(
    private readonly source: Source,
    private readonly failed: (error: unknown) => void = () => undefined,
  ) {
    this.links = [
      source.listen({ snapshot: (project) => this.opened(project), event: (event, id) => this.heard(event, id) }),
      source.onChanged(() => this.sourceChanged()),
    ];
  }

  /** In the order of the folders, whichever of them answered first. */
  get all(): readonly Projection[] {
    return this.source.roots.flatMap((root) => this.followed.get(root)?.projection ?? []);
  }

  at(root: string): Projection | undefined {
    return this.followed.get(root)?.projection;
  }

  listen(listener: ProjectsListener): Link {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  }

  dispose(): void {
    this.links.forEach((link) => link.dispose());
    this.followed.forEach((each) => clearTimeout(each.timer));
    this.listeners.clear();
  }

  private opened(snapshot: ProjectGetResult): void {
    const root = this.source.rootOf(snapshot.id);
    if (root === undefined) {
      return;
    }
    clearTimeout(this.followed.get(root)?.timer);
    const projection = new Projection(root, snapshot);
    this.followed.set(root, { projection, meanwhile: undefined, timer: undefined, tookMs: 0 });
    this.listeners.forEach((each) => each.opened?.(projection));
  }

  private heard(event: WireEvent, projectId: string): void {
    const followed = this.followed.get(this.source.rootOf(projectId) ?? "");
    if (followed === undefined || event.seq <= followed.projection.seq) {
      return;
    }
    followed.meanwhile?.push(event);
    this.tell(followed, followed.projection.apply(event));
  }

  private tell(followed: Followed, change: Change): void {
    if (change.stale) {
      this.refreshLater(followed);
    }
    if (change.ids.size > 0 || change.structure || change.around) {
      this.listeners.forEach((each) => each.changed?.(followed.projection, change));
    }
  }

  private refreshLater(followed: Followed): void {
    followed.timer ??= setTimeout(() => void this.refresh(followed), Math.max(SOON, REST * followed.tookMs));
  }

  private async refresh(followed: Followed): Promise<void> {
    const projection = followed.projection;
    const began = Date.now();
    followed.meanwhile = [];
    try {
      const snapshot = await this.source.request("specloom/project/get", { root: projection.root });
      followed.tookMs = Date.now() - began;
      followed.timer = undefined;
      if (this.followed.get(projection.root) === followed && snapshot.id === projection.known.id) {
        this.replace(followed, snapshot);
      }
    } catch (error) {
      followed.timer = undefined;
      this.failed(error);
    } finally {
      followed.meanwhile = undefined;
    }
  }

  private replace(followed: Followed, snapshot: ProjectGetResult): void {
    const later = (followed.meanwhile ?? []).filter((event) => event.seq > snapshot.seq);
    this.tell(followed, followed.projection.replace(snapshot));
    later.forEach((event) => this.tell(followed, followed.projection.apply(event)));
  }

  private sourceChanged(): void {
    this.dropClosed();
    if (this.source.connected) {
      // Whatever was asked for while nobody was there to answer.
      this.followed.forEach((each) => this.refreshLater(each));
    }
  }

  private dropClosed(): void {
    for (const root of [...this.followed.keys()].filter((each) => !this.source.roots.includes(each))) {
      clearTimeout(this.followed.get(root)?.timer);
      this.followed.delete(root);
      this.listeners.forEach((each) => each.closed?.(root));
    }
  }
}
