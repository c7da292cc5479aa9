// The environment of the server that the extension brings: where it is, whether it is whole, how it is made. Refuses any
// network: pip is told to look at the wheels alone.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { type Interpreter, type Run, ask, inEnvironment } from "./python";

/** Where the environment is kept, and what it is made by and of. */
export interface Own {
  home: string;
  by: Interpreter;
  wheels: string;
}

/** The interpreter of the environment; made, within `making`, unless one of these wheels and this Python is there and answers. */
export async function ownServer(own: Own, run: Run, making: (make: () => Promise<void>) => PromiseLike<void>): Promise<string> {
  const ready = path.join(own.home, `${await digestOf(own.wheels)}-python${own.by.version.join(".")}`);
  const interpreter = inEnvironment(ready);
  // Written last: without it, what is there was interrupted.
  const mark = path.join(ready, ".whole");
  if (!(existsSync(mark) && (await answers(interpreter, run)))) {
    await making(async () => {
      await rm(ready, { recursive: true, force: true });
      await mkdir(own.home, { recursive: true });
      await run(own.by.path, ["-m", "venv", ready]);
      await run(interpreter, ["-m", "pip", "install", "--quiet", "--no-compile", "--no-index", "--find-links", own.wheels, "specloom"]);
      await writeFile(mark, "");
    });
  }
  return interpreter;
}

/** Python may have been updated or removed since. */
async function answers(interpreter: string, run: Run): Promise<boolean> {
  return ask(interpreter, run).then(
    (found) => found.hasServer,
    () => false,
  );
}

/** Of the names of all wheels and of what is in ours: versions of a checkout do not change with it. */
async function digestOf(wheels: string): Promise<string> {
  const names = (await readdir(wheels)).sort();
  const digest = createHash("sha256").update(names.join("\n"));
  for (const name of names.filter((each) => each.startsWith("specloom-"))) {
    digest.update(await readFile(path.join(wheels, name)));
  }
  return digest.digest("hex").slice(0, 12);
}
