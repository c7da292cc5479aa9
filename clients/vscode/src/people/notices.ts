// How errors reach a person: one line, with what to do about it. Refuses to swallow any.

import * as vscode from "vscode";
import { keyless, unlinked } from "../texts";
import { messageOf, reasonOf } from "../wire";

const SET = "Set API Key…";
const SHOW = "Show Agent";
const LOG = "Show Log";

/** Does what a person asked for; what goes wrong is shown, and `undefined` returned. */
export async function told<T>(log: vscode.LogOutputChannel, what: () => Promise<T>): Promise<T | undefined> {
  try {
    return await what();
  } catch (error) {
    log.error(messageOf(error));
    const lacksKey = reasonOf(error) === "no-key";
    const text = lacksKey ? keyless(messageOf(error)) : messageOf(error);
    // One without a button is cut to a line, and what to do stands at the end.
    void vscode.window.showErrorMessage(`Specloom: ${unlinked(text)}`, lacksKey ? SET : LOG).then((chosen) => {
      return chosen === LOG ? log.show() : leadToKey(chosen);
    });
    return undefined;
  }
}

/** A run waits for a key: says so, and leads to where one is given. */
export function tellOfKey(reason: string): void {
  void vscode.window.showWarningMessage(`Specloom: the run is paused: ${unlinked(keyless(reason))}`, SET).then(leadToKey);
}

/** Something ended without what it was for: says so, and leads to where it is told in full. */
export function tellOfEnd(text: string): void {
  void vscode.window.showWarningMessage(`Specloom: ${unlinked(text)}`, SHOW).then(async (chosen) => {
    if (chosen === SHOW) {
      await vscode.commands.executeCommand("specloom.agent.focus");
    }
  });
}

async function leadToKey(chosen: string | undefined): Promise<void> {
  if (chosen === SET) {
    await vscode.commands.executeCommand("specloom.setKey");
  }
}
