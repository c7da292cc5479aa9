// Finds Python interpreters that could run the server, and asks one what it is. Refuses to install anything.

import { execFile } from "node:child_process";
import * as path from "node:path";

/** What the server needs. */
export const LEAST: readonly [number, number] = [3, 11];
/** Milliseconds that an interpreter has to say what it is; one on a network folder may need them. */
const PATIENCE = 15_000;
const QUESTION =
  "import json,sys,importlib.util as u;" +
  "print(json.dumps([list(sys.version_info[:2]), u.find_spec('specloom') is not None]))";

export interface Interpreter {
  path: string;
  version: readonly [number, number];
  /** Whether the package is installed there. */
  hasServer: boolean;
}

/** Runs a program and returns what it prints; the error says what it printed instead. */
export type Run = (command: string, words: readonly string[]) => Promise<string>;

/** Runs programs that have so many milliseconds each. */
export function runner(patience: number): Run {
  return (command, words) =>
    new Promise((resolve, reject) => {
      execFile(command, [...words], { timeout: patience, encoding: "utf8" }, (error, out, problems) => {
        if (error) {
          reject(new Error(lastLine(problems) || (error.killed ? `no answer within ${patience / 1000} s` : error.message)));
        } else {
          resolve(out);
        }
      });
    });
}

export const run: Run = runner(PATIENCE);

/** Asks an interpreter; rejects with what is wrong with it. */
export async function ask(interpreter: string, by: Run = run): Promise<Interpreter> {
  const [version, hasServer] = JSON.parse(await by(interpreter, ["-c", QUESTION])) as [[number, number], boolean];
  return { path: interpreter, version, hasServer };
}

export function isRecent(version: readonly [number, number]): boolean {
  return version[0] > LEAST[0] || (version[0] === LEAST[0] && version[1] >= LEAST[1]);
}

/** Names under which a system has interpreters, the newest first. */
export const NAMES = ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"] as const;

/** The interpreter of a virtual environment. */
export function inEnvironment(folder: string): string {
  return path.join(folder, "bin", "python");
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
