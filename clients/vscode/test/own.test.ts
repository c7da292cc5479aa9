import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { ownServer } from "../src/server/own";
import type { Run } from "../src/server/python";

/** A machine with wheels and a Python; what is run there is noted. */
class Machine {
  readonly folder = mkdtempSync(path.join(tmpdir(), "own-"));
  readonly wheels = path.join(this.folder, "wheels");
  ran: string[] = [];
  answers = true;
  fails = "";

  constructor() {
    mkdirSync(this.wheels);
    this.wheel("one");
  }

  wheel(text: string): void {
    writeFileSync(path.join(this.wheels, "specloom-0.1.0-py3-none-any.whl"), text);
  }

  /** What was run, and where the server is. */
  async server(): Promise<[string[], string]> {
    this.ran = [];
    const own = { home: path.join(this.folder, "servers"), by: { path: "/usr/bin/python3", version: [3, 12] as const, hasServer: false }, wheels: this.wheels };
    const interpreter = await ownServer(own, this.run, (make) => make());
    return [this.ran, interpreter];
  }

  private readonly run: Run = (_, words) => {
    const what = words.includes("venv") ? "venv" : words.includes("pip") ? "pip" : "ask";
    this.ran.push(what);
    if (what === this.fails) return Promise.reject(new Error(`${what} fails`));
    if (what === "ask") return this.answers ? Promise.resolve("[[3, 12], true]") : Promise.reject(new Error("it is gone"));
    if (what === "venv") mkdirSync(words.at(-1) ?? "", { recursive: true });
    return Promise.resolve("");
  };
}

function on(name: string, story: (machine: Machine) => Promise<void>): void {
  test(name, async () => {
    const machine = new Machine();
    await story(machine).finally(() => rmSync(machine.folder, { recursive: true }));
  });
}

on("the server that is brought along is installed once", async (machine) => {
  const [first, place] = await machine.server();
  assert.deepEqual(first, ["venv", "pip"]);
  assert.match(place, /servers\/[0-9a-f]{12}-python3\.12\/bin\/python$/);
  assert.deepEqual(await machine.server(), [["ask"], place]);
});

on("what was interrupted is made anew", async (machine) => {
  machine.fails = "pip";
  await assert.rejects(machine.server(), /pip fails/);
  machine.fails = "";
  assert.deepEqual((await machine.server())[0], ["venv", "pip"]);
});

on("an environment whose Python is gone is made anew", async (machine) => {
  await machine.server();
  machine.answers = false;
  assert.deepEqual((await machine.server())[0], ["ask", "venv", "pip"]);
});

on("another server of the same version is installed beside the old one, which may still work", async (machine) => {
  const [, before] = await machine.server();
  machine.wheel("two");
  const [ran, now] = await machine.server();
  assert.deepEqual([ran, now === before], [["venv", "pip"], false]);
});
