// Shows files that the Agent view names. Refuses what is not there, with its name.

import * as vscode from "vscode";

/** Opens a file at a line (1-based; 0: wherever it was). */
export async function opened(file: vscode.Uri, line: number): Promise<void> {
  const at = new vscode.Position(Math.max(0, line - 1), 0);
  const selection = line > 0 ? new vscode.Range(at, at) : undefined;
  try {
    await vscode.window.showTextDocument(file, { preview: true, ...(selection && { selection }) });
  } catch {
    void vscode.window.showWarningMessage(`Specloom: ${file.fsPath} cannot be opened; it may have been moved or deleted`);
  }
}
