// How errors reach a person: one line, with what to do about it. Refuses to swallow any.

import * as vscode from "vscode";
import { messageOf } from "../wire";

/** Does what a person asked for; what goes wrong is shown, and `undefined` returned. */
export async function told<T>(log: vscode.LogOutputChannel, what: () => Promise<T>): Promise<T | undefined> {
  try {
    return await what();
  } catch (error) {
    log.error(messageOf(error));
    void vscode.window.showErrorMessage(`Specloom: ${messageOf(error)}`);
    return undefined;
  }
}
