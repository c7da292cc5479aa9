// Which folders are projects: those with requirements, specs or settings of ours. Refuses to touch any other folder.

import * as vscode from "vscode";

const DOCUMENTS = ["requirements.md", "docs/requirements.md", "specloom.toml"];
const SPEC_FOLDERS = ["specs", ".kiro/specs"];
/** What makes a folder a project when it appears. */
const APPEARING = "{requirements.md,docs/requirements.md,specloom.toml,specs/**/*.md,.kiro/specs/*/*.md}";

/** The folders of the workspace that are projects; one that was stays one until it is closed. */
export class ProjectFolders implements vscode.Disposable {
  private readonly known = new Set<string>();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly links: vscode.Disposable[] = [];
  /** Looks that were begun, and the newest of those that ended: an older one does not know of a folder that came since. */
  private readonly looks = { begun: 0, ended: 0 };
  readonly onDidChange = this.changed.event;

  get folders(): readonly vscode.WorkspaceFolder[] {
    return (vscode.workspace.workspaceFolders ?? []).filter((folder) => this.known.has(folder.uri.toString()));
  }

  /** Looks once, and again when files or folders appear. */
  async watch(): Promise<void> {
    const watcher = vscode.workspace.createFileSystemWatcher(`**/${APPEARING}`, false, true, true);
    const look = (): void => void this.look();
    this.links.push(watcher, watcher.onDidCreate(look), vscode.workspace.onDidChangeWorkspaceFolders(look));
    await this.look();
  }

  dispose(): void {
    vscode.Disposable.from(...this.links, this.changed).dispose();
  }

  private async look(): Promise<void> {
    const turn = ++this.looks.begun;
    const open = vscode.workspace.workspaceFolders ?? [];
    const found = await Promise.all(open.map(async (folder) => this.known.has(folder.uri.toString()) || isProject(folder)));
    if (turn < this.looks.ended) {
      return;
    }
    this.looks.ended = turn;
    const before = [...this.known].sort().join("\n");
    const now = open.filter((_, at) => found[at]).map((folder) => folder.uri.toString());
    this.known.clear();
    now.forEach((uri) => this.known.add(uri));
    if (before !== now.sort().join("\n")) {
      this.changed.fire();
    }
  }
}

async function isProject(folder: vscode.WorkspaceFolder): Promise<boolean> {
  if (folder.uri.scheme !== "file") {
    return false;
  }
  const named = vscode.workspace.getConfiguration("specloom", folder).get<string | null>("requirements") ?? "";
  const documents = named === "" ? DOCUMENTS : [...DOCUMENTS, named];
  const checks = [...documents.map((name) => exists(folder, name)), ...SPEC_FOLDERS.map((name) => holdsSpecs(folder, name))];
  return (await Promise.all(checks)).includes(true);
}

async function exists(folder: vscode.WorkspaceFolder, name: string): Promise<boolean> {
  try {
    return (await vscode.workspace.fs.stat(vscode.Uri.joinPath(folder.uri, name))).type !== vscode.FileType.Directory;
  } catch {
    return false;
  }
}

async function holdsSpecs(folder: vscode.WorkspaceFolder, name: string): Promise<boolean> {
  try {
    const entries = await vscode.workspace.fs.readDirectory(vscode.Uri.joinPath(folder.uri, name));
    const inside = entries.filter(([, type]) => type === vscode.FileType.Directory).map(([entry]) => entry);
    const found = await Promise.all(inside.map((entry) => exists(folder, `${name}/${entry}/tasks.md`)));
    return found.includes(true) || entries.some(([entry]) => /^\d+-.*\.md$/.test(entry));
  } catch {
    return false;
  }
}
