// Which Python environment is active for a folder: the Python extension's choice, else the editor's own, else the folder's.
// Refuses to run an interpreter: see `python`.

import { existsSync } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { inEnvironment } from "./python";

const PYTHON_EXTENSION = "ms-python.python";

/** The part of the Python extension's API that we use (https://github.com/microsoft/vscode-python/wiki/Python-Environment-APIs). */
interface PythonApi {
  ready?: Promise<void>;
  environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(of: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

export interface ActiveInterpreter {
  path: string;
  /** For people. */
  name: string;
}

/** Interpreters that count as active, the best first. */
export async function activeInterpreters(folder: vscode.Uri): Promise<ActiveInterpreter[]> {
  const found: ActiveInterpreter[] = [];
  const chosen = await ofPythonExtension(folder);
  if (chosen !== undefined) {
    found.push({ path: chosen, name: "the Python environment chosen in the editor" });
  }
  for (const variable of ["VIRTUAL_ENV", "CONDA_PREFIX"]) {
    const environment = process.env[variable];
    if (environment) {
      found.push({ path: inEnvironment(environment), name: `the environment of ${variable}` });
    }
  }
  const own = inEnvironment(path.join(folder.fsPath, ".venv"));
  if (existsSync(own)) {
    found.push({ path: own, name: "the environment .venv of this folder" });
  }
  return found.filter((each, at) => found.findIndex((other) => other.path === each.path) === at);
}

/** Calls back when another environment is chosen. */
export async function onEnvironmentChanged(changed: () => void): Promise<vscode.Disposable | undefined> {
  return (await pythonApi())?.environments.onDidChangeActiveEnvironmentPath(changed);
}

async function ofPythonExtension(folder: vscode.Uri): Promise<string | undefined> {
  const environments = (await pythonApi())?.environments;
  if (environments === undefined) {
    return undefined;
  }
  const chosen = await environments.resolveEnvironment(environments.getActiveEnvironmentPath(folder));
  return chosen?.executable.uri?.fsPath;
}

async function pythonApi(): Promise<PythonApi | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>(PYTHON_EXTENSION);
  if (extension === undefined) {
    return undefined;
  }
  try {
    const api = await extension.activate();
    await api.ready;
    return api.environments === undefined ? undefined : api;
  } catch {
    // Its failure is shown by itself; we look in the other places.
    return undefined;
  }
}
