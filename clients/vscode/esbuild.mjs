// Bundles the extension (and, with --units, the tests and benchmarks of its pure parts). Refuses to fetch anything.
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const production = process.argv.includes("--production");
/** Where tests go, as `--to=<folder>`. */
const to = process.argv.find((word) => word.startsWith("--to="))?.slice("--to=".length);
const shared = { bundle: true, logLevel: "warning", minify: production, sourcemap: production ? false : "linked" };

/** What runs in the extension host. */
const host = { ...shared, platform: "node", format: "cjs", target: "node20", external: ["vscode", "./client.js"] };

/** What runs in a webview. */
const page = { ...shared, platform: "browser", format: "iife", target: "chrome122" };

if (process.argv.includes("--units")) {
  const tests = readdirSync("test").filter((name) => /\.(test|bench)\.ts$/.test(name));
  await build({ ...host, minify: false, entryPoints: tests.map((name) => `test/${name}`), outdir: to ?? "dist/test" });
} else {
  // The language client is a file of its own: activation does not wait for it.
  await build({ ...host, entryPoints: { extension: "src/extension.ts", client: "src/server/client.ts" }, outdir: "dist" });
  await build({ ...page, entryPoints: ["src/agent/page/main.ts"], outfile: "dist/agent.js" });
  if (production) {
    copyFileSync("../../LICENSE", "LICENSE");
    writeFileSync("dist/README.md", withoutPictures(readFileSync("README.md", "utf8")));
  }
}

/** The editor's page of an extension shows pictures from the web alone, and others as broken; ours are in no web. */
function withoutPictures(text) {
  return text.replace(/^ *!\[[^\]]*\]\([^)]*\)\n\n?/gm, "");
}
