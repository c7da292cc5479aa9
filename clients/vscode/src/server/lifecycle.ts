// Starts, ends and starts again the one language client. Refuses two at a time: of many wishes to restart, one is carried
// out and at most one waits.

import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { Connection } from "../connection";
import { messageOf } from "../wire";
import { Coalesced } from "./coalesced";
import type { ProjectFolders } from "./folders";
import { type Found, type Missing, find } from "./find";
import { activeInterpreters } from "./environments";
import { install, wheelsOf } from "./install";

export type Stage =
  | { kind: "no-project" }
  | { kind: "untrusted" }
  | { kind: "unsupported" }
  | { kind: "missing"; reasons: readonly string[] }
  | { kind: "starting" }
  | { kind: "running"; found: Found; version: string }
  | { kind: "failed"; reason: string }
  | { kind: "stopped" };

/** Milliseconds before a server that was lost is started again; who is lost more often in a while is not. */
const WAITS = [250, 1_000, 3_000, 8_000, 15_000];
/** Milliseconds after which a server that lives counts as a good one. */
const GOOD_AFTER = 60_000;
/** Milliseconds that a server has to end. */
const STOP_DEADLINE = 5_000;

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private told: Stage = { kind: "no-project" };
  private readonly restarting = new Coalesced(() => this.work());
  private losses = 0;
  private since = 0;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  private readonly changed = new vscode.EventEmitter<Stage>();
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly connection: Connection,
    private readonly folders: ProjectFolders,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  get stage(): Stage {
    return this.told;
  }

  /** What the server said of itself. */
  offers(method: string): boolean {
    const capabilities = this.client?.initializeResult?.capabilities.experimental as
      | { specloom?: { methods?: string[] } }
      | undefined;
    return capabilities?.specloom?.methods?.includes(method) ?? false;
  }

  /** Starts it, or starts it again; returns when that is done. */
  restart(): Promise<void> {
    clearTimeout(this.timer);
    return this.restarting.wish();
  }

  /** As a person asks for it: what went wrong before is forgotten. */
  restartAnew(): Promise<void> {
    this.losses = 0;
    return this.restart();
  }

  /** The folders that are projects are others now. */
  async followFolders(): Promise<void> {
    const before = new Set(this.connection.roots);
    const now = this.folders.folders;
    if (this.client === undefined || this.told.kind !== "running" || now.length === 0 || before.size === 0) {
      return this.restart();
    }
    const uris = now.map((folder) => folder.uri.toString());
    const added = now.filter((folder) => !before.has(folder.uri.toString()));
    const removed = [...before].filter((uri) => !uris.includes(uri));
    await this.client.sendNotification("workspace/didChangeWorkspaceFolders", {
      event: {
        added: added.map((folder) => ({ uri: folder.uri.toString(), name: folder.name })),
        removed: removed.map((uri) => ({ uri, name: uri })),
      },
    });
    this.connection.setRoots(uris);
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const client = this.client;
    this.client = undefined;
    this.connection.detached();
    if (client !== undefined) {
      await client.stop(STOP_DEADLINE).catch((error: unknown) => this.log.info(`The server did not end well: ${messageOf(error)}`));
      await client.dispose().catch(() => undefined);
    }
  }

  dispose(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.changed.dispose();
  }

  private async work(): Promise<void> {
    await this.stop();
    if (!this.ended) {
      await this.start();
    }
  }

  private async start(): Promise<void> {
    const folder = this.folders.folders[0];
    const obstacle = folder === undefined ? "no-project" : obstacleHere();
    if (folder === undefined || obstacle !== undefined) {
      this.tell({ kind: obstacle ?? "no-project" });
      return;
    }
    this.tell({ kind: "starting" });
    const losses = this.losses;
    try {
      const found = await this.find(folder);
      if ("reasons" in found) {
        found.reasons.forEach((reason) => this.log.warn(reason));
        this.tell({ kind: "missing", reasons: found.reasons });
        return;
      }
      await this.connect(found);
    } catch (error) {
      if (this.losses !== losses) {
        // It ended while it started, so that another start is due.
        return;
      }
      this.log.error(`The server did not start: ${messageOf(error)}`);
      this.tell({ kind: "failed", reason: messageOf(error) });
      await this.stop();
    }
  }

  private async connect(found: Found): Promise<void> {
    this.log.info(`Starting ${[found.command, ...found.words].join(" ")} from ${found.from}`);
    const folders = this.folders.folders;
    const needs = { found, folders, extension: this.context.extension, log: this.log };
    const { languageClient } = await import("./client.js");
    const client: LanguageClient = languageClient({ ...needs, lost: () => this.lost(client) });
    this.client = client;
    this.since = Date.now();
    await client.start();
    this.connection.setRoots(folders.map((folder) => folder.uri.toString()));
    this.connection.attached(client);
    this.tell({ kind: "running", found, version: client.initializeResult?.serverInfo?.version ?? "" });
  }

  private find(folder: vscode.WorkspaceFolder): Promise<Found | Missing> {
    const setting = vscode.workspace.getConfiguration("specloom").get<string>("server.path", "").trim();
    return activeInterpreters(folder.uri).then((active) =>
      find({
        setting,
        active,
        wheels: wheelsOf(this.context),
        install: (interpreter, wheels) => install(this.context, interpreter, wheels),
      }),
    );
  }

  /** The server ended by itself: it is started again, ever later, and after a few times not any more. */
  private lost(client: LanguageClient): void {
    if (client !== this.client || this.ended) {
      return;
    }
    this.client = undefined;
    this.connection.detached();
    this.losses = Date.now() - this.since > GOOD_AFTER ? 0 : this.losses;
    const wait = WAITS[this.losses];
    this.losses += 1;
    if (wait === undefined) {
      this.tell({ kind: "failed", reason: "The server ended again and again; its log says why" });
      return;
    }
    this.log.warn(`The server ended; it is started again in ${wait / 1000} s`);
    this.tell({ kind: "starting" });
    this.timer = setTimeout(() => void this.restart(), wait);
  }

  private tell(stage: Stage): void {
    this.told = stage;
    if (!this.ended) {
      this.changed.fire(stage);
    }
  }
}

function obstacleHere(): "untrusted" | "unsupported" | undefined {
  if (process.platform === "win32") {
    return "unsupported";
  }
  return vscode.workspace.isTrusted ? undefined : "untrusted";
}
