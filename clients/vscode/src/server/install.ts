// Installs the wheels that the extension brings into an environment of its own, and shows that it does. Refuses to know how:
// see `own`.

import { existsSync } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { ownServer } from "./own";
import { type Interpreter, runner } from "./python";

/** Milliseconds for each step of it. */
const PATIENCE = 300_000;

/** Where the wheels of this package are; undefined: it has none. */
export function wheelsOf(extension: vscode.ExtensionContext): string | undefined {
  const folder = extension.asAbsolutePath("wheels");
  return existsSync(folder) ? folder : undefined;
}

/** The interpreter of the environment that holds the server. */
export async function install(extension: vscode.ExtensionContext, by: Interpreter, wheels: string): Promise<string> {
  const home = path.join(extension.globalStorageUri.fsPath, "servers");
  const location = vscode.ProgressLocation.Notification;
  const making = (make: () => Promise<void>): Thenable<void> =>
    vscode.window.withProgress({ location, title: "Specloom: installing its server" }, make);
  return ownServer({ home, by, wheels }, runner(PATIENCE), making);
}
