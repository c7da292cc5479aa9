// What a person does with Specloom in the workbench. Refuses to look anywhere but at the screen.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { strict as assert } from 'node:assert';
import { isSoon, say, told, until } from './workbench.mjs';

const require = createRequire(path.join(told('PACKAGES'), 'package.json'));

/** Shows our container; returns when the tree of tasks does. */
export async function show(bench) {
  await bench.page.locator('.activitybar .action-label[aria-label^="Specloom"], .composite-bar .action-label[aria-label^="Specloom"]').first().click();
  await bench.page.locator('.sidebar .composite.title', { hasText: 'Specloom' }).waitFor();
}

/** The Agent view's page. */
export function agent(bench) {
  return bench.webview();
}

/** Entries of the Agent view that hold the text. */
export function entries(bench, kind, text) {
  return agent(bench).locator(`#log .item.${kind}`, { hasText: text });
}

/** Answers the next question by the keyboard, with one of its choices. */
export async function answer(bench, about, choice) {
  await bench.notification(about).waitFor();
  await bench.command('Specloom: Answer a Question');
  const row = bench.page.locator('.quick-input-list .monaco-list-row', { hasText: choice }).first();
  await row.waitFor();
  await row.click();
  say(`answered: ${choice}`);
}

/** Chooses from the list that a command opened. */
export async function choose(bench, label) {
  const row = bench.page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first();
  await row.waitFor();
  await row.click();
}

/** Folds a row out. The editor draws it folded again where it was just asking for those around it: then once more. */
export async function foldOut(bench, row, below) {
  const folded = row.and(bench.page.locator('[aria-expanded="false"]'));
  await until(async () => {
    if (await folded.isVisible()) await folded.locator('.monaco-tl-twistie').click({ timeout: 1000 }).catch(() => {});
    return isSoon(below, 'visible', 5000);
  }, 'the row to be folded out');
}

/** Presses a button that a row or notification shows below the mouse. Where it is drawn anew meanwhile: once more. */
export async function press(bench, within, name, deadline = undefined) {
  await until(async () => {
    // What is told of the row below the mouse may lie over this one.
    await bench.page.mouse.move(900, 300);
    return within
      .hover({ timeout: 3000 })
      .then(() => within.getByRole('button', { name }).click({ timeout: 3000 }))
      .then(
        () => true,
        () => false,
      );
  }, `the button ${name}`, deadline);
}

/** What was typed comes in pieces, the first of which makes the file dirty: returns when the whole line stands there. */
export async function typedWhole(bench, line) {
  await until(async () => (await bench.lines()).includes(line), `${line} in the editor`);
}

/** What is on disk, as soon as it holds the text. */
export async function onDisk(name, text, deadline = undefined) {
  const file = path.join(told('ROOT'), name);
  await until(() => fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes(text), `${text} in ${name} on disk`, deadline);
  return fs.readFileSync(file, 'utf8');
}

/** The frame of the Agent view, to run something in it. */
export async function pageOf(bench) {
  const shown = await Promise.all(bench.page.frames().map((one) => one.locator('#log').count().catch(() => 0)));
  const frame = bench.page.frames().find((_, at) => shown[at] > 0);
  assert.ok(frame, 'the Agent view is not shown');
  return frame;
}

/** The rules of axe-core that the Agent view breaks, as it is shown now; none must be. */
export async function mustBeAccessible(bench, where) {
  const frame = await pageOf(bench);
  await frame.evaluate(fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations, passes } = await frame.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const told = violations.map((one) => `${one.id}: ${one.help}\n${one.nodes.slice(0, 3).map((node) => `  ${node.html}\n  ${node.failureSummary}`).join('\n')}`);
  assert.equal(violations.length, 0, `${where}:\n${told.join('\n')}`);
  assert.ok(passes.length > 10, 'axe looked at nothing');
  say(`accessible: ${where}, ${passes.length} rules`);
}
