// The status bar item of the run, and time and cost at the tree's head. Refuses to follow anything itself.

import * as vscode from "vscode";
import type { Link } from "../connection";
import type { Projects } from "../projects";
import { cost, duration } from "../texts";
import { workedBy } from "../work";
import { statusLine } from "./line";

const TICK = 1_000;

export class RunStatus implements Link {
  private readonly item = vscode.window.createStatusBarItem("specloom.run", vscode.StatusBarAlignment.Left, 50);
  private readonly link: Link;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly projects: Projects,
    private readonly view: vscode.TreeView<unknown>,
  ) {
    this.item.name = "Specloom";
    this.item.command = "specloom.actions";
    const update = (): void => this.update();
    this.link = projects.listen({ opened: update, closed: update, changed: (_, change) => change.around && update() });
    this.timer = setInterval(update, TICK);
  }

  dispose(): void {
    clearInterval(this.timer);
    this.link.dispose();
    this.item.dispose();
  }

  private update(): void {
    const told = statusLine(this.projects.all, Date.now());
    if (told === undefined) {
      this.item.hide();
      return;
    }
    if (this.item.text !== told.text || this.item.tooltip !== told.tooltip) {
      this.item.text = told.text;
      this.item.tooltip = told.tooltip;
      this.item.accessibilityInformation = { label: told.spoken, role: "button" };
      this.item.backgroundColor = told.warns ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    }
    this.item.show();
    this.head();
  }

  private head(): void {
    const known = this.projects.all.map((each) => each.known).find((each) => each.run !== null && each.run.state !== "finished");
    const told = known?.run ? [duration(known.run.worked + workedBy(known.work, Date.now())), cost(known.run.usage)].filter((each) => each !== "").join(" · ") : undefined;
    if (this.view.description !== told) {
      this.view.description = told;
    }
  }
}
