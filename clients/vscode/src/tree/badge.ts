// What the tree's head tells: a badge of what waits for a person, time and cost of the run, context keys for menus.
// Refuses rows.

import * as vscode from "vscode";
import type { Link } from "../connection";
import type { Projection } from "../projection";
import type { Projects } from "../projects";
import { some } from "../texts";

const STATES = ["running", "pausing", "paused"] as const;
type Known = Projection["known"];

function works({ run }: Known): boolean {
  return run !== null && run.state !== "finished";
}

function plans({ planning }: Known): boolean {
  return planning?.state === "running";
}

/** Follows all projects. */
export function headOf(view: vscode.TreeView<unknown>, projects: Projects): Link {
  const told = new Map<string, unknown>();
  const set = (key: string, value: unknown): void => {
    if (told.get(key) !== value) {
      told.set(key, value);
      void vscode.commands.executeCommand("setContext", `specloom.${key}`, value);
    }
  };
  const update = (): void => {
    const all = projects.all.map((each) => each.known);
    const waiting = all.reduce((total, each) => total + each.approvals.length, 0);
    const runs = all.filter(works).map((each) => each.run?.state);
    set("waiting", waiting > 0);
    // Of several projects one may work while another can begin: a command is offered where it does something in any of them.
    set("run", runs[0] ?? "");
    STATES.forEach((state) => set(state, runs.includes(state)));
    set("planning", all.some(plans));
    set("idle", all.some((each) => !works(each) && !plans(each)));
    set("hasProjects", all.length > 0);
    set("hasTasks", all.some((each) => each.tasks.length > 0));
    set("hasRequirements", all.some((each) => each.requirements.length > 0));
    if ((view.badge?.value ?? 0) !== waiting) {
      view.badge = waiting === 0 ? undefined : { value: waiting, tooltip: `${some(waiting, "question")} for you` };
    }
  };
  update();
  return projects.listen({ opened: update, closed: update, changed: (_, change) => change.around && update() });
}
