// The language status item: how the server does, in documents that are ours. Refuses to mend: it leads to who can.

import * as vscode from "vscode";
import type { Connection, Link } from "../connection";
import { HEARTBEAT_S } from "../feed";
import { unlinked } from "../texts";
import type { Health } from "../wire";
import type { Server, Stage } from "./lifecycle";

const SELECTOR: vscode.DocumentSelector = [
  { scheme: "file", pattern: "**/requirements.md" },
  { scheme: "file", pattern: "**/{specs,.kiro}/**/*.md" },
  { scheme: "file", pattern: "**/specloom.toml" },
];
/** Signs of life that may be missed. */
const MISSED = 3;

export class HealthItem implements Link {
  private readonly item = vscode.languages.createLanguageStatusItem("specloom.health", SELECTOR);
  private readonly newest = new Map<string, Health>();
  private readonly links: Link[];
  private silence: NodeJS.Timeout | undefined;

  constructor(
    private readonly server: Server,
    connection: Connection,
  ) {
    this.item.name = "Specloom";
    this.links = [
      server.onDidChange(() => this.show()),
      connection.listen({ health: (health, projectId) => this.heard(health, projectId) }),
      connection.onChanged(() => !connection.connected && this.forget()),
    ];
    this.show();
  }

  dispose(): void {
    clearTimeout(this.silence);
    this.links.forEach((link) => link.dispose());
    this.item.dispose();
  }

  private forget(): void {
    clearTimeout(this.silence);
    this.newest.clear();
  }

  private heard(health: Health, projectId: string): void {
    this.newest.set(projectId, health);
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.tell("Specloom: no sign of life", "The server has not been heard of for a while; restart it if that stays", "Warning");
    }, MISSED * HEARTBEAT_S * 1_000);
    this.show();
  }

  private show(): void {
    const stage = this.server.stage;
    this.item.busy = stage.kind === "starting";
    if (stage.kind !== "running") {
      this.tell(...stageTexts(stage));
      return;
    }
    const worst = [...this.newest.values()].sort((one, other) => RANK[other.status] - RANK[one.status])[0];
    const version = `Server ${stage.version} from ${stage.found.from}`;
    if (worst === undefined || worst.status === "ok") {
      this.tell("Specloom: ready", version, "Information");
    } else {
      this.tell(`Specloom: ${worst.status}`, worst.message, worst.status === "error" ? "Error" : "Warning");
    }
  }

  private tell(text: string, detail: string, severity: keyof typeof vscode.LanguageStatusSeverity): void {
    this.item.text = text;
    this.item.detail = unlinked(detail);
    this.item.severity = vscode.LanguageStatusSeverity[severity];
    this.item.command = { command: "specloom.showLog", title: "Show Log" };
  }
}

const RANK = { ok: 0, warning: 1, error: 2 };

function stageTexts(stage: Exclude<Stage, { kind: "running" }>): [string, string, "Information" | "Warning" | "Error"] {
  switch (stage.kind) {
    case "starting":
      return ["Specloom: starting", "", "Information"];
    case "stopped":
    case "no-project":
      return ["Specloom: not running", "This folder has neither requirements nor specs", "Information"];
    case "untrusted":
      return ["Specloom: restricted", "Trust this folder to plan and run", "Warning"];
    case "unsupported":
      return ["Specloom: not on Windows", "Open the folder in WSL, over SSH or in a container", "Error"];
    case "missing":
      return ["Specloom: no server", stage.reasons.join("; "), "Error"];
    case "failed":
      return ["Specloom: the server does not run", stage.reason, "Error"];
  }
}
