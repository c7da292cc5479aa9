// Which settings the server sees: those that somebody set, and none of the client's own. Refuses defaults: they would
// beat what stands in specloom.toml.

import * as vscode from "vscode";

/** Settings that are the client's alone. */
const OWN = ["server", "view", "ask"];

interface Contributed {
  contributes: { configuration: { properties: Record<string, unknown> }[] };
}

/** The section `specloom` as the server may see it: nested tables. */
export function settingsForServer(extension: vscode.Extension<unknown>): Record<string, unknown> {
  const contributed = (extension.packageJSON as Contributed).contributes.configuration;
  const names = contributed.flatMap((group) => Object.keys(group.properties));
  const configuration = vscode.workspace.getConfiguration();
  const told: Record<string, unknown> = {};
  for (const name of names.map((each) => each.replace(/^specloom\./, ""))) {
    if (!OWN.includes(name.split(".")[0] ?? "")) {
      const value = stated(configuration.inspect(`specloom.${name}`));
      // Empty, a text is one that is not set: the editor has no other way to say so.
      if (value !== undefined && value !== null && value !== "") {
        put(told, name.split("."), value);
      }
    }
  }
  return told;
}

type Inspected = ReturnType<vscode.WorkspaceConfiguration["inspect"]>;

function stated(found: Inspected): unknown {
  return found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
}

function put(table: Record<string, unknown>, path: string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) {
    return;
  }
  if (rest.length === 0) {
    table[first] = value;
  } else {
    put((table[first] ??= {}) as Record<string, unknown>, rest, value);
  }
}
