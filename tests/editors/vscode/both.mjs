// The workbench while Neovim shows the same project: questions that are answered here and there, a file that both have open.
import { strict as assert } from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { ask, play, say, told, until } from './workbench.mjs';
import { answer, choose, entries, show, typedWhole } from './specloom.mjs';

const POLL = 200;

/** What is waited for here may have to happen in two other editors first. */
const ELSEWHERE = 60_000;

await play(async (bench) => {
  bench.page.setDefaultTimeout(ELSEWHERE);
  await bench.folder(told('ROOT'));
  await show(bench);
  const telling = tellRows(bench);
  await bench.rows('End with a mark').first().waitFor();
  await bench.file('greet.py');
  await elsewhere('all opened');
  await answeredElsewhere(bench);
  await typedHere(bench);
  await answeredHere(bench);
  await typedElsewhere(bench);
  await elsewhere('all compared');
  clearInterval(telling);
  say(`asked the network for: ${[...bench.refused].join(', ') || 'nothing'}`);
});

/** Tells the rows of the tree, as they are read out, whenever they are others. */
function tellRows(bench) {
  let before = '';
  return setInterval(async () => {
    const rows = bench.page.locator('.sidebar .monaco-list-row[aria-label]');
    const now = JSON.stringify(await rows.evaluateAll((all) => all.map((row) => row.getAttribute('aria-label'))).catch(() => null));
    if (now !== before && now !== 'null') ask('tree', now);
    before = now;
  }, POLL);
}

/** Waits until the test says what it saw in the other editors. */
async function elsewhere(what) {
  await until(() => fs.existsSync(path.join(told('SIGNS'), what)), what, ELSEWHERE);
}

async function answeredElsewhere(bench) {
  await bench.command('Specloom: Run Project');
  await choose(bench, 'Run');
  await bench.notification('2 verify commands').waitFor();
  await bench.rows('from greet import greet').first().waitFor();
  await bench.shot('asked-in-both');
  ask('asked', 'verify commands');
  await gone(bench, 'from greet import greet');
  await bench.shot('answered-in-neovim');
}

/** A question that somebody else answered: neither a row nor a notification. */
async function gone(bench, text) {
  await bench.rows(text).first().waitFor({ state: 'detached' });
  await bench.page.locator('.notifications-toasts.visible .notification-list-item').first().waitFor({ state: 'hidden' });
}

async function typedHere(bench) {
  await bench.page.locator('.editor-group-container.active .view-line').first().click();
  await bench.page.locator('.editor-group-container.active .monaco-editor.focused').first().waitFor();
  await bench.page.keyboard.press('Control+Home');
  await bench.page.keyboard.insertText('# typed in VS Code\n');
  await tab(bench, 'dirty').waitFor();
  await typedWhole(bench, '# typed in VS Code');
  ask('typed', 'here');
  await reads(bench, '# typed in VS Code', 'def greet(name):', '    return "Hello " + name + "!"');
  // One undo takes back what the agent did, and nothing else.
  await bench.page.keyboard.press('Control+z');
  await reads(bench, '# typed in VS Code', 'def greet(name):', '    return "Hello " + name');
  await bench.page.keyboard.press('Control+Shift+z');
  await reads(bench, '# typed in VS Code', 'def greet(name):', '    return "Hello " + name + "!"');
  await tab(bench, 'dirty').waitFor();
  await bench.shot('edit-beside-typing');
  ask('edited', 'here');
}

async function answeredHere(bench) {
  await bench.notification('print(6 * 7)').waitFor();
  ask('asked', 'command');
  await elsewhere('all are asked');
  await answer(bench, 'print(6 * 7)', 'Allow once');
  await gone(bench, 'print(6 * 7)');
  await entries(bench, 'note', 'Task 01/1.1 is done, and proven').first().waitFor();
  await tab(bench, 'dirty').waitFor({ state: 'detached' });
  ask('proven', 'first');
}

async function typedElsewhere(bench) {
  await elsewhere('edited in Neovim');
  // Nothing of it is on disk yet, so that nothing of it can be here.
  assert.ok(!(await bench.lines()).some((line) => line.includes('Hello, ')), 'both editors got the edit');
  ask('looked', 'here');
  await entries(bench, 'note', 'Task 01/1.2 is done, and proven').first().waitFor();
  await reads(bench, '# typed in Neovim', '# typed in VS Code', 'def greet(name):', '    return "Hello, " + name + "!"');
  await tab(bench, 'dirty').waitFor({ state: 'detached' });
  await bench.shot('read-from-disk');
  ask('proven', 'second');
}

function tab(bench, state) {
  return bench.page.locator(`.tab.active.${state}`, { hasText: 'greet.py' });
}

async function reads(bench, ...wanted) {
  const lines = async () => (await bench.lines()).filter((line) => line.trim() !== '');
  await until(async () => JSON.stringify(await lines()) === JSON.stringify(wanted), wanted.join('\n'), ELSEWHERE);
}
