// The Agent view's side in the extension host: fills the page and hands on what happens. Refuses to fold, draw or keep it.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Connection } from "../connection";
import { messageOf } from "../wire";
import type { FromPage, News, ToPage } from "./messages";
import { opened } from "./opening";
import { STEP, past, tells } from "./past";

export const AGENT_VIEW = "specloom.agent";
/** Milliseconds in which news are joined to one message. */
const JOINED = 16;

/** Registers the view and its commands. */
export function registerAgentView(connection: Connection, extension: vscode.Uri): vscode.Disposable {
  const view = new AgentView(connection, extension);
  return vscode.Disposable.from(
    view,
    vscode.window.registerWebviewViewProvider(AGENT_VIEW, view),
    vscode.commands.registerCommand("specloom.agent.find", () => view.find()),
  );
}

class AgentView implements vscode.WebviewViewProvider, vscode.Disposable {
  private webview: vscode.Webview | undefined;
  private root: string | undefined;
  private projectId = "";
  private depth = STEP;
  private news: News[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** The end of what was heard of the project. */
  private seq = -1;
  /** How often the page began to be filled, and which of these is over: between them news wait. */
  private begun = 0;
  private filled = 0;
  private readonly links: { dispose(): void }[];

  constructor(
    private readonly connection: Connection,
    private readonly extension: vscode.Uri,
  ) {
    const link = connection.listen({
      snapshot: (project) => this.snapshot(project.id, project.seq),
      event: (event, projectId) => {
        if (event.type === "runStarted" || event.type === "planStarted") this.turnTo(projectId);
        if (projectId !== this.projectId) return;
        this.seq = Math.max(this.seq, event.seq);
        if (tells(event)) this.add({ event });
      },
      output: (output, projectId) => projectId === this.projectId && this.add({ output }),
      gap: (gap, projectId) => projectId === this.projectId && gap.output > 0 && this.add({ missed: gap.output }),
    });
    this.links = [link, connection.onChanged(() => this.changed())];
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.links.forEach((link) => link.dispose());
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const webview = view.webview;
    const roots = [vscode.Uri.joinPath(this.extension, "dist"), vscode.Uri.joinPath(this.extension, "media")];
    webview.options = { enableScripts: true, localResourceRoots: roots };
    webview.onDidReceiveMessage((message: FromPage) => this.heard(message));
    webview.html = this.html(webview);
    this.webview = webview;
    view.onDidDispose(() => {
      if (this.webview === webview) this.webview = undefined;
      this.news = [];
    });
  }

  find(): void {
    void vscode.commands.executeCommand(`${AGENT_VIEW}.focus`).then(() => this.post({ kind: "find" }));
  }

  private async heard(message: FromPage): Promise<void> {
    switch (message.kind) {
      case "ready":
        this.depth = STEP;
        return this.fill();
      case "earlier":
        this.depth += STEP;
        return this.fill();
      case "look":
        this.root = message.root;
        return this.fill();
      case "open":
        return opened(vscode.Uri.joinPath(this.folder(), message.path), message.line);
      case "follow":
        return this.follow(message.href);
      case "copy":
        return vscode.env.clipboard.writeText(message.text);
      case "say":
        return this.say(message.agentId, message.text);
      case "withdraw":
        return this.withdraw(message.promptId);
    }
  }

  private async say(agentId: string, text: string): Promise<void> {
    try {
      await this.connection.order("specloom/agent/prompt", { root: this.root, agentId, text });
    } catch (error) {
      this.post({ kind: "refused", text: messageOf(error), words: text });
    }
  }

  private async withdraw(promptId: string): Promise<void> {
    try {
      await this.connection.order("specloom/prompt/withdraw", { root: this.root, promptId });
    } catch (error) {
      this.post({ kind: "refused", text: messageOf(error), words: "" });
    }
  }

  /** Links of models are theirs: files of the project open, the web is asked about by the editor. */
  private async follow(href: string): Promise<void> {
    if (/^https?:/i.test(href)) {
      await vscode.env.openExternal(vscode.Uri.parse(href));
      return;
    }
    const [path, fragment] = href.replace(/^\.\//, "").split("#");
    const line = /^L(\d+)/.exec(fragment ?? "")?.[1];
    if (path !== undefined && !/^[a-z][a-z0-9+.-]*:/i.test(path)) await opened(vscode.Uri.joinPath(this.folder(), path), Number(line ?? 0));
  }

  private folder(): vscode.Uri {
    return vscode.Uri.parse(this.root ?? "");
  }

  private snapshot(projectId: string, seq: number): void {
    const mine = this.projectId === "" || this.projectId === projectId || this.connection.rootOf(projectId) === this.root;
    if (mine && (projectId !== this.projectId || seq > this.seq) && this.begun === this.filled) void this.fill();
  }

  /** A server or a project came or went. */
  private changed(): void {
    if (this.root !== undefined && !this.connection.roots.includes(this.root)) this.root = undefined;
    if (this.root === undefined) void this.fill();
  }

  /** Where work begins is looked at. */
  private turnTo(projectId: string): void {
    const root = this.connection.rootOf(projectId);
    if (root === undefined || root === this.root) return;
    this.root = root;
    void this.fill();
  }

  /** Fills the page anew. Of two that overlap, the later one counts. */
  private async fill(): Promise<void> {
    if (this.webview === undefined) return;
    this.root ??= this.connection.roots[0];
    const root = this.root;
    if (root === undefined || !this.connection.connected) {
      this.post({ kind: "absent", text: "Specloom is not running here yet." });
      return;
    }
    const turn = ++this.begun;
    try {
      const { id, known, events, earlier } = await past(this.connection, root, this.depth);
      if (turn !== this.begun) return;
      this.seq = id === this.projectId ? Math.max(this.seq, known.seq) : known.seq;
      this.projectId = id;
      this.post({ kind: "reset", root, choices: this.choices(), known, events, earlier });
      this.connection.recall(root);
    } catch (error) {
      this.post({ kind: "absent", text: messageOf(error) });
    } finally {
      if (turn === this.begun) this.filled = turn;
    }
    this.flush();
  }

  private choices(): { root: string; name: string }[] {
    return this.connection.roots.map((root) => ({ root, name: decodeURIComponent(root.split("/").at(-1) ?? root) }));
  }

  private add(news: News): void {
    if (this.webview === undefined) return;
    this.news.push(news);
    this.timer ??= setTimeout(() => this.flush(), JOINED);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.begun !== this.filled || this.news.length === 0) return;
    this.post({ kind: "news", news: this.news });
    this.news = [];
  }

  private post(message: ToPage): void {
    void this.webview?.postMessage(message);
  }

  private html(webview: vscode.Webview): string {
    const nonce = randomBytes(16).toString("base64url");
    const script = webview.asWebviewUri(vscode.Uri.joinPath(this.extension, "dist", "agent.js")).toString();
    const style = webview.asWebviewUri(vscode.Uri.joinPath(this.extension, "media", "agent.css")).toString();
    const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'; font-src ${webview.cspSource};`;
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Specloom Agent</title>
<link rel="stylesheet" href="${style}">
</head>
<body>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
  }
}
