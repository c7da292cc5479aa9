// The way to the server for everything else of the extension: typed requests, orders that happen once, and what the
// projects tell. Refuses to find or start a server (that is `server/`), and to keep anything but sequence numbers.

import { randomUUID } from "node:crypto";
import type { BaseLanguageClient } from "vscode-languageclient";
import { Feed, type ProjectListener } from "./feed";
import type { Gap, Health, Method, OrderMethod, Output, ParamsOf, ResultOf, Wire, WireEvent } from "./wire";
import { messageOf, reasonOf, wasLost } from "./wire";

export type { ProjectListener } from "./feed";

/** Milliseconds that an order waits for a server that is being started again. */
const ORDER_PATIENCE = 30_000;
/** Milliseconds between looks at a project that another process hosts, or that could not be read. */
const LOOK_AGAIN = 3_000;
const NOBODY = "Specloom's server is not running; use the command Specloom: Restart Server";

export interface Link {
  dispose(): void;
}

export class Connection implements Wire, Link {
  private client: BaseLanguageClient | undefined;
  private readonly feeds = new Map<string, Feed>();
  private readonly timers = new Map<Feed, NodeJS.Timeout>();
  private readonly listeners = new Set<ProjectListener>();
  private readonly watchers = new Set<() => void>();

  constructor(private readonly log: (line: string) => void = () => undefined) {}

  /** Whether a server is there to answer. */
  get connected(): boolean {
    return this.client !== undefined;
  }

  /** Root URIs of the projects, as the editor names them: `root` of every request. */
  get roots(): readonly string[] {
    return [...this.feeds.keys()];
  }

  /** The root of a project that was heard of. */
  rootOf(projectId: string): string | undefined {
    return this.feedOf(projectId)?.root;
  }

  /** The end of what was heard of a project; -1: nothing yet. */
  seqOf(root: string): number {
    return this.feeds.get(root)?.seq ?? -1;
  }

  /** Nobody here keeps output: what is being said in a project is told once more, from its start. */
  recall(root: string): void {
    const feed = this.feeds.get(root);
    if (this.connected && feed !== undefined && feed.seq >= 0 && !feed.readOnly) {
      void this.attach(feed);
    }
  }

  /** Hears of all projects from now on: of each a snapshot when it is attached, then its events. Listen before the start. */
  listen(listener: ProjectListener): Link {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  }

  /** Called when a server came or went, and when a project came or went. */
  onChanged(watcher: () => void): Link {
    this.watchers.add(watcher);
    return { dispose: () => this.watchers.delete(watcher) };
  }

  async request<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    if (this.client === undefined) {
      throw new Error(NOBODY);
    }
    return this.client.sendRequest<ResultOf<M>>(method, params);
  }

  /** An order, carried out once: where the server was lost before it answered, the same `commandId` is sent again. */
  async order<M extends OrderMethod>(method: M, params: Omit<ParamsOf<M>, "commandId">): Promise<ResultOf<M>> {
    return this.ask(method, { ...params, commandId: randomUUID() } as unknown as ParamsOf<M>);
  }

  /** What a person waits for: where the server is lost before it answers, the next one is asked. */
  async ask<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    const until = Date.now() + ORDER_PATIENCE;
    for (;;) {
      await this.until(() => this.connected, until);
      const client = this.client;
      try {
        return await this.request(method, params);
      } catch (error) {
        const gone = client !== this.client || wasLost(error);
        if (reasonOf(error) !== undefined || !gone || Date.now() >= until) {
          throw error;
        }
        // A pipe breaks before the end of the server is heard of.
        await this.until(() => client !== this.client, until);
      }
    }
  }

  /** A server answers: every project goes on after the last event that was heard of it. */
  attached(client: BaseLanguageClient): void {
    this.client = client;
    client.onNotification("specloom/event", (event: WireEvent) => this.feedOf(event.projectId)?.hear(event));
    client.onNotification("specloom/output", (output: Output) => {
      this.listeners.forEach((each) => each.output?.(output, output.projectId));
    });
    client.onNotification("specloom/gap", (gap: Gap) => {
      this.listeners.forEach((each) => each.gap?.(gap, gap.projectId));
    });
    client.onNotification("specloom/health", (health: Health) => {
      this.listeners.forEach((each) => each.health?.(health, health.projectId));
    });
    this.feeds.forEach((feed) => void this.attach(feed));
    this.changed();
  }

  /** The server went; what was heard stays, and orders wait for the next one. */
  detached(): void {
    this.client = undefined;
    this.timers.forEach((timer) => clearTimeout(timer));
    this.timers.clear();
    this.changed();
  }

  /** These are the projects now. */
  setRoots(roots: readonly string[]): void {
    const gone = [...this.feeds.values()].filter((feed) => !roots.includes(feed.root));
    gone.forEach((feed) => this.drop(feed));
    for (const root of roots.filter((each) => !this.feeds.has(each))) {
      const feed = new Feed(root, this, {
        snapshot: (project) => this.listeners.forEach((each) => each.snapshot?.(project)),
        event: (event, projectId) => this.listeners.forEach((each) => each.event?.(event, projectId)),
      });
      this.feeds.set(root, feed);
      if (this.connected) {
        void this.attach(feed);
      }
    }
    this.changed();
  }

  dispose(): void {
    this.detached();
    this.listeners.clear();
    this.watchers.clear();
  }

  private drop(feed: Feed): void {
    clearTimeout(this.timers.get(feed));
    this.timers.delete(feed);
    this.feeds.delete(feed.root);
  }

  private async attach(feed: Feed): Promise<void> {
    const client = this.client;
    try {
      await feed.attach();
    } catch (error) {
      this.log(`${feed.root}: ${messageOf(error)}`);
      this.attachLater(feed, client);
      return;
    }
    if (feed.readOnly) {
      this.attachLater(feed, client);
    }
  }

  private attachLater(feed: Feed, client: BaseLanguageClient | undefined): void {
    if (client === this.client && this.client !== undefined && this.feeds.get(feed.root) === feed) {
      this.timers.set(feed, setTimeout(() => void this.attach(feed), LOOK_AGAIN));
    }
  }

  private feedOf(projectId: string): Feed | undefined {
    return [...this.feeds.values()].find((feed) => feed.projectId === projectId);
  }

  private changed(): void {
    this.watchers.forEach((watcher) => watcher());
  }

  private until(holds: () => boolean, until: number): Promise<void> {
    if (holds()) {
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const waiting = this.onChanged(() => holds() && settle(resolve));
      const timer = setTimeout(() => settle(() => reject(new Error(NOBODY))), Math.max(0, until - Date.now()));
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        waiting.dispose();
        then();
      };
    });
  }
}
