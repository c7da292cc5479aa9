// Opens what a row stands for, finds the row of a place in a document, and shows proofs and changes. Refuses to write.

import * as vscode from "vscode";
import type { Connection } from "./connection";
import type { Projection } from "./projection";
import type { Projects } from "./projects";
import type { Evidence, EvidenceGetResult } from "./protocol.gen";
import type { Node } from "./tree/nodes";

const SCHEME = "specloom-view";

/** Read-only documents made of answers of the server, kept while they are open. */
export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly links: vscode.Disposable[];

  constructor(
    private readonly connection: Connection,
    private readonly projects: Projects,
  ) {
    this.links = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidCloseTextDocument((document) => this.texts.delete(document.uri.toString())),
    ];
  }

  dispose(): void {
    vscode.Disposable.from(...this.links).dispose();
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  /** A task or spec where it is written. */
  async open(of: Node): Promise<void> {
    const project = this.projects.at(of.root);
    if (project === undefined || (of.kind !== "task" && of.kind !== "spec")) {
      return;
    }
    const task = of.kind === "task" ? project.task(of.key) : undefined;
    const spec = project.spec(task?.specId ?? of.key);
    if (spec !== undefined) {
      const at = new vscode.Position(task?.line ?? 0, 0);
      await vscode.window.showTextDocument(vscode.Uri.parse(spec.uri), { selection: new vscode.Range(at, at) });
    }
  }

  /** What proves a task, as a page. */
  async proof(root: string, taskId: string): Promise<void> {
    const evidence = await this.connection.ask("specloom/evidence/get", { root, taskId });
    const uri = this.made("proof", taskId, "md", proofText(evidence));
    await vscode.commands.executeCommand("markdown.showPreview", uri);
  }

  /** What a task changed, as a diff. */
  async changes(root: string, taskId: string): Promise<void> {
    const { diff } = await this.connection.ask("specloom/changeset/get", { root, taskId });
    const uri = this.made("changes", taskId, "diff", diff || "No file was changed\n");
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  }

  /** The task or spec at a place in a document, if it is one of ours. */
  at(uri: vscode.Uri, line: number): { kind: "task" | "spec"; root: string; key: string } | undefined {
    for (const project of this.projects.all) {
      const spec = project.known.specs.find((each) => vscode.Uri.parse(each.uri).toString() === uri.toString());
      if (spec !== undefined) {
        const task = lastBefore(project, spec.id, line);
        return task === undefined ? { kind: "spec", root: project.root, key: spec.id } : { kind: "task", root: project.root, key: task };
      }
    }
    return undefined;
  }

  private made(kind: string, taskId: string, extension: string, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${kind} of ${taskId.replaceAll("/", "-")}.${extension}` });
    this.texts.set(uri.toString(), text);
    return uri;
  }
}

function lastBefore(project: Projection, specId: string, line: number): string | undefined {
  const before = project.known.tasks.filter((task) => task.specId === specId && task.line <= line);
  return before.reduce<(typeof before)[number] | undefined>((best, task) => (best && best.line > task.line ? best : task), undefined)?.id;
}

function proofText(found: EvidenceGetResult): string {
  const verdict = found.proven ? "Proven" : found.evidence.length > 0 ? "Done, not proven by a command" : "Not done";
  const stale = found.stale.length > 0 ? `\nThe proof is stale; changed since: ${found.stale.map(code).join(", ")}\n` : "";
  const told = `\nIt is outdated; requirements that changed since: ${found.outdated.map(code).join(", ")}\n`;
  const outdated = found.outdated.length > 0 ? told : "";
  return [`# Task ${found.taskId}: ${verdict}`, stale, outdated, ...found.evidence.map(evidenceText)].join("\n");
}

function evidenceText(evidence: Evidence): string {
  const by = { command: "By command", reviewer: "By a reviewer", user: "Ticked by a person", imported: "Found ticked" }[evidence.kind];
  const exit = evidence.command ? `${code(evidence.command)} ended with ${evidence.exitCode ?? "no exit code"}` : "";
  const weak = evidence.discriminating === false ? "**Not discriminating**: it passed before the attempt too." : "";
  const tests = evidence.touchedTests.length > 0 ? `Tests that the attempt itself changed: ${evidence.touchedTests.map(code).join(", ")}` : "";
  const files = evidence.paths.length > 0 ? `Files behind it: ${evidence.paths.map(code).join(", ")}` : "";
  return [`## ${by}, ${evidence.at}`, exit, fenced(evidence.summary), weak, tests, files].filter((each) => each !== "").join("\n\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

function fenced(text: string): string {
  return text === "" ? "" : `~~~~\n${text}\n~~~~`;
}
