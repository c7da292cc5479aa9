// Says why there is no server, once, and offers what helps. Refuses to repeat itself: the status item and the view keep it.

import * as vscode from "vscode";
import type { Link } from "../connection";
import { unlinked } from "../texts";
import type { Server, Stage } from "./lifecycle";

const CHOOSE = "Choose Server…";
const INTERPRETER = "Select Interpreter";
const LOG = "Show Log";
const RESTART = "Restart";
const TRUST = "Manage Trust";
const REMEDY = "Install the Python package specloom for yourself, as pipx does, or into the environment of this folder; or choose where it is.";

export class ServerProblems implements Link {
  private told = "";
  /** Something that was missing is still shown. */
  private showing = false;
  private readonly link: vscode.Disposable;

  constructor(
    private readonly server: Server,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.link = server.onDidChange((stage) => this.hear(stage));
    this.hear(server.stage);
  }

  dispose(): void {
    this.link.dispose();
  }

  /** Again, because a person asks. */
  show(): void {
    void this.tell(this.server.stage, true);
  }

  /** Lets a person say where the server is. */
  async choose(): Promise<void> {
    const title = "The specloom command, or a Python interpreter that has the package";
    const chosen = await vscode.window.showOpenDialog({ title, openLabel: "Use This Server", canSelectMany: false });
    if (chosen?.[0] !== undefined) {
      const target = vscode.ConfigurationTarget.Global;
      await vscode.workspace.getConfiguration("specloom").update("server.path", chosen[0].fsPath, target);
    }
  }

  private hear(stage: Stage): void {
    void vscode.commands.executeCommand("setContext", "specloom.server", stage.kind);
    const key = JSON.stringify(stage);
    const isNews = (stage.kind === "missing" || stage.kind === "failed" || stage.kind === "unsupported") && key !== this.told;
    if (isNews) {
      this.told = key;
      void this.tell(stage, false);
    } else if (stage.kind === "running" && this.showing) {
      // What is mended is not to be read any more; a notification cannot be taken back but put aside.
      this.showing = false;
      void vscode.commands.executeCommand("notifications.hideToasts");
    }
  }

  private async tell(stage: Stage, asked: boolean): Promise<void> {
    switch (stage.kind) {
      case "missing":
        return this.act(`Specloom's server was not found. ${stage.reasons.join(". ")}. ${REMEDY}`, missingActions());
      case "failed":
        return this.act(`Specloom's server does not run: ${stage.reason}`, [RESTART, LOG]);
      case "unsupported":
        return this.act("Specloom does not run on Windows itself. Open this folder in WSL, over SSH or in a container.", []);
      case "untrusted":
        return asked ? this.act("Specloom works in trusted folders only, because agents run commands.", [TRUST]) : undefined;
      case "no-project":
        return asked ? this.act("No folder here has requirements or specs. Create requirements.md to begin.", ["Create"]) : undefined;
      case "starting":
      case "stopped":
      case "running":
        return asked ? this.act(`Specloom's server is ${stage.kind}`, [LOG]) : undefined;
    }
  }

  private async act(message: string, actions: readonly string[]): Promise<void> {
    this.showing = true;
    const chosen = await vscode.window.showWarningMessage(unlinked(message), ...actions);
    this.showing = false;
    switch (chosen) {
      case CHOOSE:
        return this.choose();
      case INTERPRETER:
        return void vscode.commands.executeCommand("python.setInterpreter");
      case RESTART:
        return this.server.restartAnew();
      case LOG:
        return this.log.show();
      case TRUST:
        return void vscode.commands.executeCommand("workbench.trust.manage");
      case "Create":
        return void vscode.commands.executeCommand("specloom.newRequirements");
      default:
    }
  }
}

function missingActions(): string[] {
  const python = vscode.extensions.getExtension("ms-python.python");
  return python === undefined ? [CHOOSE, LOG] : [INTERPRETER, CHOOSE, LOG];
}
