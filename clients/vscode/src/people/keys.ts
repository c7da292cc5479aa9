// API keys in the editor's secret storage, sent to each server that starts. Refuses to write one anywhere else, or to
// show it.

import * as vscode from "vscode";
import type { Connection, Link } from "../connection";
import type { Server } from "../server/lifecycle";
import { messageOf } from "../wire";
import { told } from "./notices";

const METHOD = "specloom/credential/set";
const SECRET = "specloom.key ";
/** Names of endpoints that have a key here; the keys are in the secret storage. */
const KNOWN = "specloom.endpoints";
const ANTHROPIC = "https://api.anthropic.com";

export class Keys implements Link {
  private readonly links: Link[];
  private readonly sent = new Set<string>();

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly connection: Connection,
    private readonly server: Server,
    projects: { listen: (listener: { opened: (project: { root: string }) => void }) => Link },
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.links = [
      projects.listen({ opened: ({ root }) => void this.sendAll(root) }),
      // A server that starts again has forgotten them.
      connection.onChanged(() => (connection.connected ? this.resend() : this.sent.clear())),
    ];
  }

  dispose(): void {
    this.links.forEach((link) => link.dispose());
  }

  /** Asks for a key and keeps it; sends it at once. */
  async set(): Promise<void> {
    const endpoint = await this.endpoint();
    if (endpoint === undefined) {
      return;
    }
    const title = `API key for ${endpoint}`;
    const prompt = "Kept in this editor's secret storage, sent to this endpoint alone";
    const key = await vscode.window.showInputBox({ title, prompt, password: true, ignoreFocusOut: true });
    if (!key?.trim()) {
      return;
    }
    await this.context.secrets.store(SECRET + endpoint, key.trim());
    await this.remember([...new Set([...this.known(), endpoint])]);
    const answers = await Promise.all(this.connection.roots.map((root) => this.send(root, endpoint, key.trim(), true)));
    answers.filter((each) => each !== undefined).forEach((each) => this.log.info(each));
    if (this.connection.roots.length === 0 || answers.some((each) => each !== undefined)) {
      void vscode.window.showInformationMessage(`Specloom: the key for ${endpoint} is kept in this editor's secret storage`);
    }
  }

  /** Forgets a key here and in the server. */
  async forget(): Promise<void> {
    const endpoint = await vscode.window.showQuickPick([...this.known()], { placeHolder: "Whose key is forgotten?" });
    if (endpoint === undefined) {
      return;
    }
    await this.context.secrets.delete(SECRET + endpoint);
    await this.remember(this.known().filter((each) => each !== endpoint));
    await Promise.all(this.connection.roots.map((root) => this.send(root, endpoint, "", true)));
  }

  private resend(): void {
    this.connection.roots.forEach((root) => void this.sendAll(root));
  }

  private async sendAll(root: string): Promise<void> {
    if (this.sent.has(root)) {
      return;
    }
    this.sent.add(root);
    for (const endpoint of this.known()) {
      const key = await this.context.secrets.get(SECRET + endpoint);
      if (key) {
        await this.send(root, endpoint, key, false);
      }
    }
  }

  /** What the server says of it. A root whose settings name another endpoint refuses, and needs no key of this one. */
  private async send(root: string, endpoint: string, key: string, aloud: boolean): Promise<string | undefined> {
    if (!this.server.offers(METHOD)) {
      return undefined;
    }
    const order = async (): Promise<string> => (await this.connection.order(METHOD, { root, endpoint, key, keep: false })).message;
    if (aloud) {
      return told(this.log, order);
    }
    return order().catch((error: unknown) => {
      this.log.info(`The key for ${endpoint} was not taken: ${messageOf(error)}`);
      return undefined;
    });
  }

  private async endpoint(): Promise<string | undefined> {
    const set = vscode.workspace.getConfiguration("specloom").get<string>("models.default.base_url");
    const other = "Another endpoint…";
    const choices = [...new Set([set || ANTHROPIC, ...this.known(), ANTHROPIC])];
    const chosen = await vscode.window.showQuickPick([...choices, other], { placeHolder: "Which endpoint is the key for?" });
    if (chosen !== other) {
      return chosen;
    }
    const validateInput = (text: string): string | undefined =>
      /^https?:\/\/[^\s/?#@]+/.test(text) ? undefined : "An address that begins with http:// or https://";
    return vscode.window.showInputBox({ title: "Endpoint", placeHolder: ANTHROPIC, validateInput, ignoreFocusOut: true });
  }

  private known(): readonly string[] {
    return this.context.globalState.get<string[]>(KNOWN, []);
  }

  private async remember(endpoints: readonly string[]): Promise<void> {
    await this.context.globalState.update(KNOWN, endpoints);
  }
}
