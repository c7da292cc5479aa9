// The first document of a folder that has none. Refuses to overwrite one.

import * as vscode from "vscode";

/** A snippet: what is typed at once stands where the cursor is to be. */
const FIRST = `# Requirements

What should be true when the work is done? One numbered item for each requirement.

1. $0
`;

/** Opens \`requirements.md\` of a folder; where there is none, with a few lines to begin with, not yet saved. */
export async function firstRequirements(): Promise<void> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const folder = folders.length > 1 ? await vscode.window.showWorkspaceFolderPick() : folders[0];
  if (folder === undefined) {
    if (folders.length === 0) {
      await vscode.commands.executeCommand("vscode.openFolder");
    }
    return;
  }
  const uri = vscode.Uri.joinPath(folder.uri, "requirements.md");
  if (await exists(uri)) {
    await vscode.window.showTextDocument(uri);
    return;
  }
  const document = await vscode.workspace.openTextDocument(uri.with({ scheme: "untitled" }));
  const editor = await vscode.window.showTextDocument(document);
  await editor.insertSnippet(new vscode.SnippetString(FIRST));
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
