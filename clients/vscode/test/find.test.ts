import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS, type Found, type Missing, type Places, find } from "../src/server/find";

type Machine = Record<string, [version: [number, number], hasServer: boolean] | string>;

/** A machine with these interpreters; a text is what goes wrong with one. */
function on(machine: Machine, places: Partial<Places> = {}): Promise<Found | Missing> {
  const run = (command: string): Promise<string> => {
    const found = machine[command];
    if (found === undefined) {
      return Promise.reject(new Error(`spawn ${command} ENOENT`));
    }
    return typeof found === "string" ? Promise.reject(new Error(found)) : Promise.resolve(JSON.stringify(found));
  };
  const install = (): Promise<string> => Promise.resolve("/own/bin/python");
  return find({ setting: "", active: [], wheels: undefined, install, run, ...places });
}

function reasons(of: Found | Missing): string {
  assert.ok("reasons" in of, "a server was found");
  return of.reasons.join("\n");
}

const VENV = { path: "/venv/bin/python", name: "the environment of VIRTUAL_ENV" };

test("the setting counts before everything else, as a command or as an interpreter", async () => {
  const machine: Machine = { "/bin/specloom": [[3, 12], true], "/usr/bin/python3": [[3, 12], true], "/venv/bin/python": [[3, 12], true] };
  assert.deepEqual(await on(machine, { setting: "/bin/specloom", active: [VENV] }), {
    command: "/bin/specloom",
    words: ["lsp"],
    from: "the setting specloom.server.path (/bin/specloom)",
  });
  const found = await on(machine, { setting: "/usr/bin/python3" });
  assert.ok("words" in found);
  assert.deepEqual(found.words, ["-m", "specloom", "lsp"]);
});

test("a setting that is wrong is told and not passed over", async () => {
  const found = await on({ "/venv/bin/python": [[3, 12], true] }, { setting: "/gone/specloom", active: [VENV] });
  assert.match(reasons(found), /setting specloom\.server\.path \(\/gone\/specloom\): spawn .* ENOENT/);
});

test("the active environment counts if the package is installed there, with a Python that is new enough", async () => {
  const found = await on({ "/venv/bin/python": [[3, 11], true] }, { active: [VENV] });
  assert.ok("command" in found && found.command === "/venv/bin/python");
  assert.match(reasons(await on({ "/venv/bin/python": [[3, 10], true] }, { active: [VENV] })), /it is Python 3\.10, and Specloom needs 3\.11/);
  assert.match(reasons(await on({ "/venv/bin/python": [[3, 12], false] }, { active: [VENV] })), /package specloom is not installed there/);
});

test("a command on the path counts where no environment has the package", async () => {
  const machine: Machine = { specloom: [[3, 12], true], "/venv/bin/python": [[3, 12], false] };
  const found = await on(machine, { active: [VENV], wheels: "/extension/wheels" });
  assert.ok("command" in found && found.command === "specloom");
});

test("what pipx or uv just put into the home folder is found before the editor's path has it", async () => {
  const command = `${COMMANDS}/specloom`;
  assert.deepEqual(await on({ [command]: [[3, 12], true] }), { command, words: ["lsp"], from: COMMANDS });
});

test("the server of the extension is run by the first interpreter that is new enough", async () => {
  const machine: Machine = { "/venv/bin/python": [[3, 9], false], "python3.12": [[3, 12], false] };
  const found = await on(machine, { active: [VENV], wheels: "/extension/wheels" });
  assert.ok("command" in found && found.command === "/own/bin/python");
  assert.match(reasons(await on({}, { wheels: "/extension/wheels" })), /needs Python 3\.11 or newer, and none was found/);
});

test("where there is none, every place is named", async () => {
  const told = reasons(await on({}));
  assert.match(told, /setting specloom\.server\.path is not set/);
  assert.match(told, /No Python environment is active/);
  assert.match(told, /no command specloom on the PATH/);
  assert.match(told, /brings no server of its own/);
});
