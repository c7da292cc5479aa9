// Chooses how the server is started: the setting, the active Python environment, the PATH, the bundled wheels. Refuses to start
// it, and to be vague: where there is none, every place that was looked at is named with what is missing there.

import { homedir } from "node:os";
import * as path from "node:path";
import { type Interpreter, LEAST, NAMES, type Run, ask, isRecent, run } from "./python";
import { messageOf } from "../wire";

/** How the server is started. */
export interface Found {
  command: string;
  words: readonly string[];
  /** For people: which place it is from. */
  from: string;
}

/** Nothing was found; each line is one place and what is missing there. */
export interface Missing {
  reasons: readonly string[];
}

/** Where to look. */
export interface Places {
  /** The setting `specloom.server.path`; empty: not set. */
  setting: string;
  /** Interpreters of active environments, the best first, with what each is called. */
  active: readonly { path: string; name: string }[];
  /** The folder of wheels that this package of the extension brings; undefined: it brings none. */
  wheels: string | undefined;
  /** Installs these wheels for an interpreter, once, and returns the interpreter of the new environment. */
  install: (interpreter: Interpreter, wheels: string) => Promise<string>;
  run?: Run;
}

/** The first place that has a server, in the order above. */
export async function find(places: Places): Promise<Found | Missing> {
  if (places.setting !== "") {
    // A setting that is wrong is not passed over: who set it wants to know.
    return fromSetting(places.setting, places.run ?? run);
  }
  const reasons = ["The setting specloom.server.path is not set"];
  return (await fromActive(places, reasons)) ?? (await fromPath(places, reasons)) ?? (await fromWheels(places, reasons)) ?? { reasons };
}

/** Where pipx and uv put commands: an editor that was started before knows it only after the next login. */
export const COMMANDS = path.join(homedir(), ".local", "bin");

/** The command of a person who installed it for himself, apart from any project. */
async function fromPath(places: Places, reasons: string[]): Promise<Found | undefined> {
  const own = path.join(COMMANDS, "specloom");
  for (const [command, from] of [["specloom", "the PATH"], [own, COMMANDS]] as const) {
    try {
      await (places.run ?? run)(command, ["--version"]);
      return { command, words: ["lsp"], from };
    } catch {
      // The next place may have it.
    }
  }
  reasons.push(`There is no command specloom on the PATH, nor in ${COMMANDS}`);
  return undefined;
}

async function fromSetting(setting: string, by: Run): Promise<Found | Missing> {
  const from = `the setting specloom.server.path (${setting})`;
  try {
    if (/^python[\d.]*$/.test(path.basename(setting))) {
      const found = await ask(setting, by);
      const lacks = lacking(found);
      return lacks === "" ? module(setting, from) : { reasons: [`${upper(from)}: ${lacks}`] };
    }
    await by(setting, ["--version"]);
    return { command: setting, words: ["lsp"], from };
  } catch (error) {
    return { reasons: [`${upper(from)}: ${messageOf(error)}`] };
  }
}

async function fromActive(places: Places, reasons: string[]): Promise<Found | undefined> {
  for (const { path: interpreter, name } of places.active) {
    try {
      const found = await ask(interpreter, places.run);
      const lacks = lacking(found);
      if (lacks === "") {
        return module(interpreter, `${name} (${interpreter})`);
      }
      reasons.push(`${upper(name)} (${interpreter}): ${lacks}`);
    } catch (error) {
      reasons.push(`${upper(name)} (${interpreter}): ${messageOf(error)}`);
    }
  }
  if (places.active.length === 0) {
    reasons.push("No Python environment is active for this folder");
  }
  return undefined;
}

async function fromWheels(places: Places, reasons: string[]): Promise<Found | undefined> {
  if (places.wheels === undefined) {
    reasons.push("This package of the extension brings no server of its own");
    return undefined;
  }
  const interpreter = await newestOf([...places.active.map((each) => each.path), ...NAMES], places.run);
  if (interpreter === undefined) {
    reasons.push(`The server of this extension needs Python ${LEAST.join(".")} or newer, and none was found`);
    return undefined;
  }
  try {
    return module(await places.install(interpreter, places.wheels), `this extension, run by ${interpreter.path}`);
  } catch (error) {
    reasons.push(`The server of this extension could not be installed with ${interpreter.path}: ${messageOf(error)}`);
    return undefined;
  }
}

async function newestOf(candidates: readonly string[], by: Run | undefined): Promise<Interpreter | undefined> {
  for (const candidate of candidates) {
    const found = await ask(candidate, by).catch(() => undefined);
    if (found !== undefined && isRecent(found.version)) {
      return found;
    }
  }
  return undefined;
}

function lacking(found: Interpreter): string {
  if (!isRecent(found.version)) {
    return `it is Python ${found.version.join(".")}, and Specloom needs ${LEAST.join(".")} or newer`;
  }
  return found.hasServer ? "" : "the package specloom is not installed there";
}

function module(interpreter: string, from: string): Found {
  return { command: interpreter, words: ["-m", "specloom", "lsp"], from };
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
