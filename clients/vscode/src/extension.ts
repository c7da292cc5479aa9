// Activation and its end. Refuses everything else: what is wired here stands in files of its own.

import * as vscode from "vscode";
import { Connection } from "./connection";

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Specloom", { log: true });
  const connection = new Connection((line) => log.warn(line));
  context.subscriptions.push(log, connection);
}
