// Every command of the palette and the menus, by name. Refuses logic: each line hands over.

import * as vscode from "vscode";
import type { Connection } from "./connection";
import type { Documents } from "./documents";
import type { Approvals } from "./people/approvals";
import type { Keys } from "./people/keys";
import { told } from "./people/notices";
import type { Projects } from "./projects";
import type { Scope } from "./protocol.gen";
import type { RunControl } from "./runs/control";
import type { ServerProblems } from "./server/problems";
import type { Server } from "./server/lifecycle";
import { FILTERS, type Filter, type Node } from "./tree/nodes";
import type { TaskTree } from "./tree/view";
import { firstRequirements } from "./requirements";
import { literal } from "./texts";

export interface Parts {
  connection: Connection;
  projects: Projects;
  server: Server;
  problems: ServerProblems;
  tree: TaskTree;
  runs: RunControl;
  approvals: Approvals;
  documents: Documents;
  keys: Keys;
  log: vscode.LogOutputChannel;
}

/** What a command is called with: a row, only a root (by our own lists), or nothing (by the palette). */
type Given = Node | { root: string } | undefined;
type TaskMethod = "specloom/task/retry" | "specloom/task/skip" | "specloom/task/unblock" | "specloom/task/reset";

export function registerCommands(parts: Parts): vscode.Disposable {
  const { server, tree, approvals, keys, log } = parts;
  const table: Record<string, (given: Given) => unknown> = {
    ...runCommands(parts),
    ...taskCommands(parts),
    answer: (given) => approvals.answer(given && "key" in given ? given : undefined),
    revokeGrant: (given) => withRoot(parts, given, (root) => revoke(parts, root)),
    filter: () => chooseFilter(tree),
    setKey: () => keys.set(),
    forgetKey: () => keys.forget(),
    restart: () => server.restartAnew(),
    showLog: () => log.show(),
    showServerProblem: () => parts.problems.show(),
    chooseServer: () => parts.problems.choose(),
    newRequirements: () => told(log, firstRequirements),
  };
  const made = Object.entries(table).map(([name, run]) => vscode.commands.registerCommand(`specloom.${name}`, run));
  return vscode.Disposable.from(...made);
}

function runCommands(parts: Parts): Record<string, (given: Given) => unknown> {
  const { runs } = parts;
  const rooted = (run: (root: string) => unknown) => (given: Given) => withRoot(parts, given, run);
  return {
    actions: rooted((root) => runs.actions(root)),
    plan: rooted((root) => runs.plan(root)),
    planWithFeedback: rooted((root) => runs.planWithFeedback(root)),
    runProject: rooted((root) => runs.run(root, { kind: "project" })),
    runSpec: (given) => withPlace(parts, given, "spec", (root, id) => runs.run(root, { kind: "spec", id } satisfies Scope)),
    verifyTask: (given) => withPlace(parts, given, "task", (root, id) => runs.run(root, { kind: "task", id } satisfies Scope)),
    runTask: (given) => withPlace(parts, given, "task", (root, id) => runs.run(root, { kind: "task", id } satisfies Scope)),
    pauseNow: rooted((root) => runs.pause(root, "now")),
    pauseAfterTurn: rooted((root) => runs.pause(root, "afterTurn")),
    pauseAfterTask: rooted((root) => runs.pause(root, "afterTask")),
    resume: rooted((root) => runs.resume(root)),
    cancel: rooted((root) => runs.cancel(root)),
  };
}

function taskCommands(parts: Parts): Record<string, (given: Given) => unknown> {
  const { connection, documents, log } = parts;
  const ordered = (method: TaskMethod) => (given: Given) =>
    withPlace(parts, given, "task", (root, taskId) => told(log, () => connection.order(method, { root, taskId })));
  const settled = (choice: "continue" | "discard") => (given: Given) =>
    withPlace(parts, given, "spec", (root, specId) => told(log, () => connection.order("specloom/spec/settle", { root, specId, choice })));
  return {
    open: (given) => given && "kind" in given && told(log, () => documents.open(given)),
    openProof: (given) => withPlace(parts, given, "task", (root, id) => told(log, () => documents.proof(root, id))),
    openChanges: (given) => withPlace(parts, given, "task", (root, id) => told(log, () => documents.changes(root, id))),
    revealInTree: () => revealed(parts),
    retryTask: ordered("specloom/task/retry"),
    unblockTask: ordered("specloom/task/unblock"),
    resetTask: ordered("specloom/task/reset"),
    skipTask: (given) => withPlace(parts, given, "task", (root, taskId) => skip(parts, root, taskId)),
    continueSpec: settled("continue"),
    discardSpec: settled("discard"),
  };
}

async function skip({ connection, log }: Parts, root: string, taskId: string): Promise<void> {
  const prompt = "Why? What depends on it goes on as if it were done.";
  const reason = await vscode.window.showInputBox({ title: `Skip Task ${taskId}`, prompt, ignoreFocusOut: true });
  if (reason !== undefined) {
    await told(log, () => connection.order("specloom/task/skip", { root, taskId, reason }));
  }
}

async function revoke({ connection, log }: Parts, root: string): Promise<void> {
  await told(log, async () => {
    const { grants } = await connection.ask("specloom/grant/list", { root });
    if (grants.length === 0) {
      void vscode.window.showInformationMessage("Specloom: nothing is granted here for longer than once");
      return;
    }
    const items = grants.map((grant) => ({
      label: literal(grant.text),
      description: grant.taskId ?? grant.scope,
      detail: `${grant.kind}, since ${grant.grantedAt}`,
      grant,
    }));
    const chosen = await vscode.window.showQuickPick(items, { placeHolder: "Which grant is taken back?" });
    if (chosen !== undefined) {
      await connection.order("specloom/grant/revoke", { root, grantId: chosen.grant.id });
    }
  });
}

async function chooseFilter(tree: TaskTree): Promise<void> {
  const items = (Object.keys(FILTERS) as Filter[]).map((filter) => ({
    label: FILTERS[filter],
    description: filter === tree.present ? "shown now" : "",
    filter,
  }));
  const chosen = await vscode.window.showQuickPick(items, { placeHolder: "Which tasks are shown?" });
  if (chosen !== undefined) {
    tree.setFilter(chosen.filter);
  }
}

/** The task or spec at the cursor, in the tree. */
async function revealed({ documents, tree }: Parts): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const place = editor && documents.at(editor.document.uri, editor.selection.active.line);
  if (place === undefined) {
    void vscode.window.showInformationMessage("Specloom: the cursor is in no spec");
    return;
  }
  await tree.reveal(place.kind, place.root, place.key);
}

/** The root that is meant: of the row, of the document in front, the only one, or the one that is chosen. */
async function withRoot(parts: Parts, given: Given, then: (root: string) => unknown): Promise<void> {
  const roots = parts.connection.roots;
  const front = vscode.window.activeTextEditor?.document.uri;
  const folder = front && vscode.workspace.getWorkspaceFolder(front)?.uri.toString();
  const obvious = given?.root ?? roots.find((root) => root === folder) ?? (roots.length === 1 ? roots[0] : undefined);
  if (roots.length === 0) {
    parts.problems.show();
    return;
  }
  const root = obvious ?? (await chosenRoot(parts.projects, roots));
  if (root !== undefined) {
    await then(root);
  }
}

async function chosenRoot(projects: Projects, roots: readonly string[]): Promise<string | undefined> {
  const items = roots.map((root) => {
    const path = vscode.Uri.parse(root).fsPath;
    return { label: literal(projects.at(root)?.known.name ?? path), description: literal(path), root };
  });
  return (await vscode.window.showQuickPick(items, { placeHolder: "Which project?" }))?.root;
}

/** The task or spec that is meant: of the row, at the cursor, or the one that is chosen. */
async function withPlace(parts: Parts, given: Given, kind: "task" | "spec", then: (root: string, id: string) => unknown): Promise<void> {
  if (given !== undefined && "key" in given) {
    await then(given.root, given.key);
    return;
  }
  const editor = vscode.window.activeTextEditor;
  const place = editor && parts.documents.at(editor.document.uri, editor.selection.active.line);
  if (place?.kind === kind) {
    await then(place.root, place.key);
    return;
  }
  await withRoot(parts, given, async (root) => {
    const known = parts.projects.at(root)?.known;
    const all = kind === "task" ? known?.tasks.filter((task) => task.isLeaf) : known?.specs;
    const items = (all ?? []).map((each) => ({ label: each.id, description: literal(each.title) }));
    const chosen = await vscode.window.showQuickPick(items, { placeHolder: `Which ${kind}?`, matchOnDescription: true });
    if (chosen !== undefined) {
      await then(root, chosen.label);
    }
  });
}
