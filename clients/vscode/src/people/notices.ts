// How errors reach a person: one line, with what to do about it. Refuses to swallow any.

import * as vscode from "vscode";
import { keyless } from "../texts";
import { messageOf, reasonOf } from "../wire";

const SET = "Set API Key…";

/** Does what a person asked for; what goes wrong is shown, and `undefined` returned. */
export async function told<T>(log: vscode.LogOutputChannel, what: () => Promise<T>): Promise<T | undefined> {
  try {
    return await what();
  } catch (error) {
    log.error(messageOf(error));
    const lacksKey = reasonOf(error) === "no-key";
    const text = lacksKey ? keyless(messageOf(error)) : messageOf(error);
    void vscode.window.showErrorMessage(`Specloom: ${text}`, ...(lacksKey ? [SET] : [])).then(leadToKey);
    return undefined;
  }
}

/** A run waits for a key: says so, and leads to where one is given. */
export function tellOfKey(reason: string): void {
  void vscode.window.showWarningMessage(`Specloom: the run is paused: ${keyless(reason)}`, SET).then(leadToKey);
}

async function leadToKey(chosen: string | undefined): Promise<void> {
  if (chosen === SET) {
    await vscode.commands.executeCommand("specloom.setKey");
  }
}
