// Formats Lua by StyLua, or with --check names the files that are not. Refuses options: this file is the style.
// Usage: node scripts/format-lua.mjs [--check] FILE…
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const installer = fileURLToPath(new URL("install-stylua", import.meta.url));
const home = execFileSync(installer, { encoding: "utf8" }).trim();
const stylua = createRequire(import.meta.url)(`${home}/stylua_lib_node.cjs`);

function style() {
  // Each call of the library consumes its configuration.
  const config = stylua.Config.new();
  config.column_width = 120;
  config.indent_type = stylua.IndentType.Spaces;
  config.indent_width = 2;
  return config;
}

const check = process.argv[2] === "--check";
let other = 0;
for (const path of process.argv.slice(check ? 3 : 2)) {
  const text = readFileSync(path, "utf8");
  const formatted = stylua.formatCode(text, style(), undefined, stylua.OutputVerification.None);
  if (formatted === text) continue;
  if (check) console.log(path);
  else writeFileSync(path, formatted);
  other += 1;
}
process.exit(check && other > 0 ? 1 : 0);
