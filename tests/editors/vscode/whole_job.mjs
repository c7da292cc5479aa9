// requirements.md → specs → two proven tasks; questions, steering, a pause, a reload and a killed daemon on the way.
import { strict as assert } from 'node:assert';
import { STARTING, ask, isSoon, play, say, told, until } from './workbench.mjs';
import { agent, answer, choose, entries, foldOut, mustBeAccessible, onDisk, press, show, typedWhole } from './specloom.mjs';

const THEMES = [['Light Modern', 'vscode-light'], ['Dark High Contrast', 'vscode-high-contrast']];

await play(async (bench) => {
  await bench.folder(told('ROOT'));
  await show(bench);
  await bench.widen(460);
  await plan(bench);
  await runFirst(bench);
  await follow(bench);
  await pauseNow(bench);
  await steer(bench);
  await pauseAfterTurn(bench);
  await reload(bench);
  await pauseAfterTask(bench);
  await editBeside(bench);
  await kill(bench);
  await look(bench);
  say(`asked the network for: ${[...bench.refused].join(', ') || 'nothing'}`);
});

async function plan(bench) {
  await agent(bench).locator('#absent', { hasText: 'Nothing has been planned' }).waitFor();
  await bench.shot('before');
  await bench.page.locator('.sidebar .welcome-view-content').getByRole('button', { name: 'Plan Specs and Tasks' }).click();
  await entries(bench, 'words', 'specs/01-greeter.md').first().waitFor();
  await agent(bench).locator('#bar', { hasText: 'Agent · planner' }).waitFor();
  await entries(bench, 'by-spec', 'Purpose').first().waitFor();
  await bench.shot('spec-streams-in');
  ask('release', 'half');
  await entries(bench, 'note', 'Plan finished').first().waitFor();
  await bench.rows('Greeter').first().waitFor();
  await bench.file('01-greeter.md');
  await bench.page.locator('.codelens-decoration', { hasText: 'Run' }).first().waitFor();
  await bench.page.locator('.statusbar', { hasText: 'Activating Extensions' }).waitFor({ state: 'detached' });
  await bench.shot('planned');
  await thereAndBack(bench);
  await bench.command('View: Close Editor');
}

/** From a line of the spec to its row, and from a row to its line; how the server does is told beside. */
async function thereAndBack(bench) {
  await toLine(bench, bench.page.locator('.editor-group-container.active .view-line', { hasText: '1.2 End with' }), 34);
  await bench.command('Specloom: Reveal in Tasks');
  await bench.page.locator('.sidebar .monaco-list-row.focused', { hasText: '1.2 End with' }).waitFor();
  await toLine(bench, bench.rows('1.1 Say goodbye'), 29);
  const hover = bench.page.locator('.hover-language-status', { hasText: 'Specloom: ready' });
  await until(async () => {
    // It is gone, and does not come again by itself, where the entry was written anew below the mouse.
    await bench.page.mouse.move(700, 400);
    await bench.page.locator('#status\\.languageStatus').hover();
    return isSoon(hover, 'visible', 3000);
  }, 'how the server does');
  await bench.page.keyboard.press('Escape');
}

/** A click leads to that line of the editor. Where what is clicked is drawn anew meanwhile: once more. */
async function toLine(bench, clicked, number) {
  const active = bench.page.locator('.editor-group-container.active .active-line-number', { hasText: new RegExp(`^${number}$`) });
  await until(async () => {
    await clicked.click({ timeout: 3000 }).catch(() => {});
    return isSoon(active, 'visible', 3000);
  }, `line ${number}`);
}

async function runFirst(bench) {
  await bench.command('Specloom: Run Project');
  await choose(bench, 'Run');
  await bench.notification('2 verify commands').waitFor();
  await entries(bench, 'note', 'Waits for your answer').first().waitFor();
  await bench.page.locator('.activitybar .badge-content', { hasText: /^1$/ }).waitFor();
  await bench.shot('asks-for-verify-commands');
  await answer(bench, '2 verify commands', 'Allow in this project');
  await entries(bench, 'call', 'bye.py').first().waitFor();
  await onDisk('bye.py', 'return "Bye "');
  await entries(bench, 'words', 'Thinking').first().waitFor();
  await bench.notification('print(6 * 7)').waitFor();
  await bench.rows('print(6 * 7)').first().waitFor();
  await bench.file('requirements.md');
  await bench.shot('asks-for-a-command');
  await byKeyboard(bench);
  const call = entries(bench, 'call', 'print(6 * 7)').and(agent(bench).locator('[data-state="done"]'));
  await call.locator('summary').first().click();
  await entries(bench, 'call', '42').first().waitFor();
}

/** Everything of the command is shown, also what would be an icon elsewhere. */
async function byKeyboard(bench) {
  assert.match(await bench.notification('print(6 * 7)').innerText(), /\$\(pwd\)/);
  assert.match(await bench.rows('print(6 * 7)').first().innerText(), /\$\(pwd\)/);
  await bench.page.locator('.codelens-decoration', { hasText: 'cd $(pwd); for n in 1 2 3' }).first().waitFor();
  await bench.page.keyboard.press('Control+Alt+a');
  const rows = bench.page.locator('.quick-input-list .monaco-list-row');
  await rows.filter({ hasText: 'cd $(pwd); for n in 1 2 3' }).click();
  // That told what is asked, and was no answer.
  await bench.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: 'Allow once' }).waitFor();
  await bench.shot('answers-by-keyboard');
  await bench.page.keyboard.press('Enter');
  await bench.rows('print(6 * 7)').first().waitFor({ state: 'detached' });
}

/** To the file that the agent names; an entry is copied. */
async function follow(bench) {
  await agent(bench).getByRole('button', { name: 'bye.py:2' }).click();
  await bench.page.locator('.tab.active', { hasText: 'bye.py' }).waitFor();
  await bench.page.locator('.editor-group-container.active .active-line-number', { hasText: /^2$/ }).waitFor();
  await bench.command('View: Close Editor');
  const entry = entries(bench, 'call', 'print(6 * 7)');
  await press(bench, entry, 'Copy this entry');
  const line = agent(bench).getByRole('textbox', { name: 'Say something to the agent' });
  // It is on its way to the clipboard, through what runs extensions.
  await until(async () => {
    await line.fill('');
    await line.press('Control+v');
    return /^run_command .*\n.*\n42\n42/s.test(await line.inputValue());
  }, 'what was copied');
  await line.fill('');
}

async function steer(bench) {
  const line = agent(bench).getByRole('textbox', { name: 'Say something to the agent' });
  const waiting = agent(bench).getByRole('list', { name: 'Not heard yet' }).getByRole('listitem');
  for (const words of ['Keep it short', 'Make it blue']) {
    await line.fill(words);
    await line.press('Enter');
    await waiting.filter({ hasText: words }).waitFor();
  }
  await bench.shot('steered');
  await waiting.filter({ hasText: 'blue' }).getByRole('button').click();
  await waiting.filter({ hasText: 'blue' }).waitFor({ state: 'detached' });
  await mustBeAccessible(bench, 'an agent at work');
}

/** The turn is cut, and asked again when the run goes on. */
async function pauseNow(bench) {
  await bench.command('Specloom: Pause Now');
  await mustBePaused(bench, 1);
  await bench.shot('paused-now');
  await press(bench, bench.rows('greeter').first(), 'Resume');
  await entries(bench, 'note', 'The run goes on').first().waitFor();
}

/** The turn comes to its end. */
async function pauseAfterTurn(bench) {
  await bench.command('Specloom: Pause after This Turn');
  await bench.rows('greeter').filter({ hasText: 'pausing after this turn' }).waitFor();
  ask('release', 'steered');
  await mustBePaused(bench, 2);
  await bench.shot('paused');
  await bench.command('Specloom: Resume');
  await entries(bench, 'words', 'Keep it short').first().waitFor();
}

/** The task comes to its end, and the next one does not begin. */
async function pauseAfterTask(bench) {
  await press(bench, bench.rows('1.1 Say goodbye'), 'Pause after This Task');
  await bench.rows('greeter').filter({ hasText: 'pausing after this task' }).waitFor();
  await statusBar(bench).filter({ hasText: 'pausing' }).click();
  await bench.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Pause Now' }).waitFor();
  await bench.shot('pausing-after-this-task');
  await bench.page.keyboard.press('Escape');
  ask('release', 'reloaded');
  await entries(bench, 'note', 'Task 01/1.1 is done, and proven').first().waitFor();
  await mustBePaused(bench, 3);
  assert.equal(await entries(bench, 'note', 'Task 01/1.2').count(), 0, 'the next task has begun');
  await statusBar(bench).click();
  await choose(bench, 'Resume');
  await entries(bench, 'note', 'Task 01/1.2, attempt 1').first().waitFor();
}

/** The log, the status bar and the project's row say so. */
async function mustBePaused(bench, times) {
  await entries(bench, 'note', 'Paused').nth(times - 1).waitFor();
  await statusBar(bench).filter({ hasText: 'paused' }).waitFor();
  await bench.rows('greeter').filter({ hasText: 'paused' }).waitFor();
}

function statusBar(bench) {
  return bench.page.locator('.statusbar-item[id$="specloom.run"]');
}

async function reload(bench) {
  const spoken = entries(bench, 'words', 'Short it is');
  await spoken.first().waitFor();
  const before = await spoken.first().locator('.stream').innerText();
  await bench.page.reload({ timeout: STARTING });
  await bench.page.locator('.monaco-workbench').waitFor({ timeout: STARTING });
  // All of the window starts once more: pages, what runs extensions, and a server that finds the daemon.
  await entries(bench, 'words', 'Keep it short').first().waitFor({ timeout: STARTING });
  // The model still holds: nothing but what it said before can stand here.
  await spoken.first().waitFor();
  // Where the daemon answers late the view is filled anew, all of it folded, and these words come back last.
  await until(async () => {
    const shown = await spoken.locator('.stream').allInnerTexts();
    return shown.length === 1 && shown[0].startsWith(before);
  }, 'the words so far, and once');
  const thought = entries(bench, 'words', 'A function of its own will do').first();
  await until(async () => {
    const thinking = entries(bench, 'words', 'Thinking').locator('summary').first();
    if (!(await thought.isVisible())) await thinking.click({ timeout: 3000 }).catch(() => {});
    return isSoon(thought, 'visible', 3000);
  }, 'what was thought');
  await agent(bench).locator('#to-end').click();
  await agent(bench).locator('#bar', { hasText: 'task 01/1.1' }).waitFor();
  await bench.page.locator('.statusbar', { hasText: '01/1.1' }).waitFor();
  await bench.shot('reloaded-still-running');
}

async function editBeside(bench) {
  await bench.file('greet.py');
  await bench.page.locator('.editor-group-container.active .view-line').first().click();
  await bench.page.locator('.editor-group-container.active .monaco-editor.focused').first().waitFor();
  await bench.page.keyboard.press('Control+Home');
  await bench.page.keyboard.insertText('# my own line\n');
  await bench.page.locator('.tab.active.dirty', { hasText: 'greet.py' }).waitFor();
  await typedWhole(bench, '# my own line');
  ask('release', 'typed');
  await entries(bench, 'call', 'changed in the editor, not saved yet').first().waitFor();
  assert.ok((await bench.lines()).some((line) => line.includes('name + "!"')), 'the edit is not in the editor');
  await bench.page.locator('.tab.active.dirty', { hasText: 'greet.py' }).waitFor();
  await bench.shot('edit-beside-own-typing');
}

async function kill(bench) {
  ask('kill-daemon');
  await mustBePaused(bench, 4);
  await bench.shot('daemon-was-killed');
  assert.equal(await bench.page.locator('.notification-list-item', { hasText: 'failed' }).count(), 0, 'a lost server is told request by request');
  await bench.command('Specloom: Resume');
  ask('release', 'killed');
  await entries(bench, 'note', 'Task 01/1.2 is done, and proven').first().waitFor();
  const code = await onDisk('greet.py', 'name + "!"');
  assert.ok(code.startsWith('# my own line\n'), 'what the person typed is gone');
  await entries(bench, 'note', 'Run completed').first().waitFor();
  await bench.shot('done');
}

async function look(bench) {
  await bench.page.locator('.pane-header').getByRole('button', { name: 'Find in Agent View' }).click();
  await agent(bench).getByRole('searchbox').fill('goodbye');
  await agent(bench).locator('#find .count', { hasText: 'of' }).waitFor();
  await bench.shot('found');
  await agent(bench).getByRole('searchbox').press('Escape');
  for (const [theme, name] of THEMES) {
    await bench.command('Preferences: Color Theme');
    await bench.answer(theme);
    await agent(bench).locator(`body.${name}`).waitFor();
    await bench.shot(name);
    await mustBeAccessible(bench, theme);
  }
  await refused(bench);
  await proofAndFilter(bench);
}

/** What cannot be done is told whole, with a button, and what can be done about it. */
async function refused(bench) {
  await bench.command('Specloom: Unblock Task');
  await choose(bench, '01/1.1');
  const refusal = bench.notification('Task 01/1.1 is done and cannot be unblocked');
  await refusal.getByRole('button', { name: 'Show Log' }).waitFor();
  await bench.shot('refused');
  await refusal.hover();
  await refusal.locator('.codicon-notifications-clear').click();
}

async function proofAndFilter(bench) {
  await bench.command('Specloom: Filter Tasks');
  await choose(bench, 'Failed or blocked');
  await bench.page.locator('.sidebar .message', { hasText: 'Shown: failed or blocked' }).waitFor();
  await bench.rows('1.1 Say goodbye').waitFor({ state: 'detached' });
  await bench.command('Specloom: Filter Tasks');
  await choose(bench, 'All tasks');
  // What is done entirely is folded.
  await foldOut(bench, bench.rows('01 Greeter'), bench.rows('1.1 Say goodbye'));
  await press(bench, bench.rows('1.1 Say goodbye'), 'Open Proof');
  await bench.page.locator('.tab.active', { hasText: 'proof of 01-1.1' }).waitFor();
}
