// The tree in the editor: rows made on demand, changed one by one, at most so often. Refuses to know what a row says.

import * as vscode from "vscode";
import type { Link } from "../connection";
import type { Change, Projection } from "../projection";
import type { Projects } from "../projects";
import { FILTERS, type Filter, type Node, childrenOf, node, nodeId, parentOf, rowOf, top } from "./nodes";
import { Paced } from "./paced";

export const TASKS_VIEW = "specloom.tasks";
/** Milliseconds in which changes are joined. */
const JOINED = 100;
/** Milliseconds between changes of the whole: an editor that is far away shows nothing while it is told so faster than it asks. */
const WHOLE_EVERY = 1_000;
/** More changed rows than that are one change of the whole: the editor asks only for what it shows. */
const MOST_ROWS = 300;
/** Milliseconds between changes of a project's row, which makes the editor ask for all rows that are open below: one a row. */
const PROJECTS_EVERY = 2_000;
/** Milliseconds between updates of running times. */
const TICK = 1_000;

export class TaskTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly view: vscode.TreeView<Node>;
  private readonly changed = new vscode.EventEmitter<Node | Node[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  /** The rows that the editor asked for, by id: it knows them by identity. */
  private readonly rows = new Map<string, Node>();
  /** What the editor was told of each row: what says the same is no change. */
  private readonly told = new Map<string, string>();
  private readonly dirty = new Set<string>();
  private readonly projectRows = new Paced(() => this.fireProjects());
  private readonly all = new Paced(() => this.changed.fire(undefined));
  private whole = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly ticking: NodeJS.Timeout;
  private filter: Filter = "all";
  /** Whether the editor was told that there is no row, and shows what to do instead. */
  private bare = false;
  private readonly link: Link;

  constructor(private readonly projects: Projects) {
    this.link = projects.listen({
      opened: () => this.markAll(),
      closed: () => this.markAll(),
      changed: (project, change) => this.mark(project, change),
    });
    this.view = vscode.window.createTreeView(TASKS_VIEW, { treeDataProvider: this, showCollapseAll: true });
    this.ticking = setInterval(() => this.tick(), TICK);
  }

  dispose(): void {
    clearTimeout(this.timer);
    clearInterval(this.ticking);
    vscode.Disposable.from(this.projectRows, this.all, this.link, this.view, this.changed).dispose();
  }

  getTreeItem(of: Node): vscode.TreeItem {
    const project = this.projects.at(of.root);
    const row = project && rowOf(of, project, Date.now(), this.filter);
    this.told.set(of.id, JSON.stringify(row));
    const item = new vscode.TreeItem(row?.label ?? "", FOLDING[row?.folding ?? "none"]);
    item.id = of.id;
    if (row !== undefined) {
      item.description = row.description;
      item.tooltip = row.tooltip;
      item.contextValue = row.context;
      item.iconPath = new vscode.ThemeIcon(row.icon, row.color === undefined ? undefined : new vscode.ThemeColor(row.color));
      item.accessibilityInformation = { label: row.spoken };
    }
    const command = COMMANDS[of.kind];
    if (command !== undefined) {
      item.command = { ...command, arguments: [of] };
    }
    return item;
  }

  getChildren(of?: Node): Node[] {
    if (of === undefined) {
      this.rows.clear();
      this.told.clear();
      this.bare = this.isBare();
      return top(this.projects.all).map((each) => this.kept(each));
    }
    const project = this.projects.at(of.root);
    return project === undefined ? [] : childrenOf(of, project, this.filter).map((each) => this.kept(each));
  }

  getParent(of: Node): Node | undefined {
    const project = this.projects.at(of.root);
    const parent = project && parentOf(of, project);
    return parent && this.kept(parent);
  }

  /** Shows a task or spec in the tree; a filter that hides it is lifted. */
  async reveal(kind: "task" | "spec", root: string, key: string): Promise<void> {
    const project = this.projects.at(root);
    const wanted = node(kind, root, key);
    if (project === undefined || rowOf(wanted, project, Date.now(), this.filter) === undefined) {
      return;
    }
    if (this.filter !== "all") {
      this.setFilter("all");
    }
    await this.view.reveal(this.kept(wanted), { select: true, focus: true, expand: true });
  }

  setFilter(filter: Filter): void {
    this.filter = filter;
    this.view.message = filter === "all" ? undefined : `Shown: ${FILTERS[filter].toLowerCase()}`;
    void vscode.commands.executeCommand("setContext", "specloom.filter", filter);
    this.all.hasten();
    this.markAll();
  }

  get present(): Filter {
    return this.filter;
  }

  private isBare(): boolean {
    return top(this.projects.all).length === 0;
  }

  private kept(of: Node): Node {
    const before = this.rows.get(of.id);
    if (before !== undefined) {
      return before;
    }
    this.rows.set(of.id, of);
    return of;
  }

  private markAll(): void {
    this.whole = true;
    this.soon();
  }

  private mark(project: Projection, change: Change): void {
    const moves = this.filter !== "all" && change.ids.size > 0;
    if (change.structure || moves || (change.around && (this.approvalsMoved() || this.isBare() !== this.bare))) {
      this.whole = true;
    }
    for (const id of change.ids) {
      this.dirty.add(project.spec(id) === undefined ? nodeId.task(project.root, id) : nodeId.spec(project.root, id));
    }
    if (change.around) {
      this.dirty.add(nodeId.project(project.root)).add(nodeId.agents(project.root));
      // A first session brings the row of the agents.
      this.whole ||= project.known.sessions.length > 0 && !this.rows.has(nodeId.agents(project.root));
    }
    this.soon();
  }

  private approvalsMoved(): boolean {
    const now = top(this.projects.all).filter((each) => each.kind === "approval");
    const before = [...this.rows.values()].filter((each) => each.kind === "approval");
    return now.length !== before.length || now.some((each) => !this.rows.has(each.id));
  }

  private soon(): void {
    this.timer ??= setTimeout(() => this.flush(), JOINED);
  }

  private flush(): void {
    this.timer = undefined;
    const rows = [...this.dirty].map((id) => this.rows.get(id)).filter((each) => each !== undefined);
    const different = rows.filter((each) => this.isDifferent(each));
    const light = different.filter((each) => each.kind !== "project");
    this.dirty.clear();
    if (this.whole || light.length > MOST_ROWS) {
      this.whole = false;
      this.all.wish(WHOLE_EVERY);
      return;
    }
    if (light.length > 0) {
      this.changed.fire(light);
    }
    if (light.length < different.length) {
      this.projectRows.wish(Math.min(PROJECTS_EVERY, this.rows.size));
    }
  }

  private fireProjects(): void {
    const rows = [...this.rows.values()].filter((each) => each.kind === "project" && this.isDifferent(each));
    if (rows.length > 0) {
      this.changed.fire(rows);
    }
  }

  private isDifferent(of: Node): boolean {
    const project = this.projects.at(of.root);
    return project !== undefined && JSON.stringify(rowOf(of, project, Date.now(), this.filter)) !== this.told.get(of.id);
  }

  /** Times go on. */
  private tick(): void {
    if (!this.view.visible) {
      return;
    }
    for (const project of this.projects.all) {
      const { run, sessions, tasks } = project.known;
      if (run === null || run.state === "finished") {
        continue;
      }
      const live = tasks.filter((task) => task.isLeaf && project.task(task.id)?.state === "in_progress");
      const open = sessions.filter((each) => each.outcome === "");
      live.forEach((task) => this.dirty.add(nodeId.task(project.root, task.id)));
      open.forEach((each) => this.dirty.add(nodeId.session(project.root, each.id)));
      this.soon();
    }
  }
}

const FOLDING = {
  none: vscode.TreeItemCollapsibleState.None,
  closed: vscode.TreeItemCollapsibleState.Collapsed,
  open: vscode.TreeItemCollapsibleState.Expanded,
};

const COMMANDS: Partial<Record<Node["kind"], { command: string; title: string }>> = {
  task: { command: "specloom.open", title: "Open" },
  spec: { command: "specloom.open", title: "Open" },
  approval: { command: "specloom.answer", title: "Answer" },
  session: { command: "specloom.agent.focus", title: "Show the Agent View" },
};
