// Installs the wheels that the extension brings into an environment of its own, once for each version of both. Refuses
// any network: pip is told to look at the wheels alone.

import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import * as path from "node:path";
import * as vscode from "vscode";
import { type Interpreter, inEnvironment } from "./python";

/** Milliseconds for all of it. */
const PATIENCE = 300_000;

/** Where the wheels of this package are; undefined: it has none. */
export function wheelsOf(extension: vscode.ExtensionContext): string | undefined {
  const folder = extension.asAbsolutePath("wheels");
  return existsSync(folder) ? folder : undefined;
}

/** The interpreter of the environment that holds the server. */
export async function install(extension: vscode.ExtensionContext, by: Interpreter, wheels: string): Promise<string> {
  const version = (extension.extension.packageJSON as { version: string }).version;
  const home = path.join(extension.globalStorageUri.fsPath, "servers");
  const ready = path.join(home, `${version}-python${by.version.join(".")}`);
  // Written last: without it, what is there was interrupted.
  const mark = path.join(ready, ".whole");
  if (existsSync(mark)) {
    return inEnvironment(ready);
  }
  const location = vscode.ProgressLocation.Notification;
  await vscode.window.withProgress({ location, title: "Specloom: installing its server" }, async () => {
    await rm(ready, { recursive: true, force: true });
    await mkdir(home, { recursive: true });
    await run(by.path, ["-m", "venv", ready]);
    const pip = ["-m", "pip", "install", "--quiet", "--no-index", "--find-links", wheels, "specloom"];
    await run(inEnvironment(ready), pip);
    await writeFile(mark, "");
  });
  return inEnvironment(ready);
}

function run(command: string, words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(command, [...words], { timeout: PATIENCE }, (error, _out, problems) => {
      if (error) {
        reject(new Error(problems.trim().split("\n").at(-1) || error.message));
      } else {
        resolve();
      }
    });
  });
}
