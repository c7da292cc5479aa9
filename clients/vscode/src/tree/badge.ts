// What the tree's head tells: a badge of what waits for a person, time and cost of the run, context keys for menus.
// Refuses rows.

import * as vscode from "vscode";
import type { Link } from "../connection";
import type { Projects } from "../projects";
import { some } from "../texts";

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
    const runs = all.map((each) => each.run?.state ?? "finished").filter((state) => state !== "finished");
    set("waiting", waiting > 0);
    set("run", runs[0] ?? "");
    set("planning", all.some((each) => each.planning?.state === "running"));
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
