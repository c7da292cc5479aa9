// requirements.md → specs → two proven tasks; questions, steering, a pause, a reload and a killed daemon on the way.
import { strict as assert } from 'node:assert';
import { ask, play, say, told } from './workbench.mjs';
import { agent, answer, choose, entries, mustBeAccessible, onDisk, show } from './specloom.mjs';

const THEMES = [['Light Modern', 'vscode-light'], ['Dark High Contrast', 'vscode-high-contrast']];

await play(async (bench) => {
  await bench.folder(told('ROOT'));
  await show(bench);
  await bench.widen(460);
  await plan(bench);
  await runFirst(bench);
  await steer(bench);
  await pause(bench);
  await reload(bench);
  await editBeside(bench);
  await kill(bench);
  await look(bench);
  say(`asked the network for: ${[...bench.refused].join(', ') || 'nothing'}`);
});

async function plan(bench) {
  await agent(bench).locator('#absent', { hasText: 'Nothing has been planned' }).waitFor();
  await bench.shot('before');
  await bench.command('Specloom: Plan: Specs from Requirements');
  await entries(bench, 'words', 'specs/01-greeter.md').first().waitFor();
  await entries(bench, 'by-spec', 'Purpose').first().waitFor();
  await bench.shot('spec-streams-in');
  ask('release', 'half');
  await entries(bench, 'note', 'Plan finished').first().waitFor();
  await bench.rows('Greeter').first().waitFor();
  await bench.file('01-greeter.md');
  await bench.page.locator('.codelens-decoration', { hasText: 'Run' }).first().waitFor();
  await bench.page.locator('.statusbar', { hasText: 'Activating Extensions' }).waitFor({ state: 'detached' });
  await bench.shot('planned');
  await bench.command('View: Close Editor');
}

async function runFirst(bench) {
  await bench.command('Specloom: Run Project');
  await choose(bench, 'Run');
  await bench.notification('2 verify commands').waitFor();
  await entries(bench, 'note', 'Waits for your answer').first().waitFor();
  await bench.shot('asks-for-verify-commands');
  await answer(bench, '2 verify commands', 'Allow in this project');
  await entries(bench, 'call', 'bye.py').first().waitFor();
  await onDisk('bye.py', 'return "Bye "');
  await entries(bench, 'words', 'Thinking').first().waitFor();
  await bench.notification('print(6 * 7)').waitFor();
  await bench.rows('print(6 * 7)').first().waitFor();
  await bench.file('requirements.md');
  await bench.shot('asks-for-a-command');
  await answer(bench, 'print(6 * 7)', 'Allow once');
  await entries(bench, 'call', 'print(6 * 7)').locator('summary').first().click();
  await entries(bench, 'call', '42').first().waitFor();
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

async function pause(bench) {
  await bench.command('Specloom: Pause after This Turn');
  await entries(bench, 'note', 'Pausing').first().waitFor();
  ask('release', 'steered');
  await entries(bench, 'note', 'Paused').first().waitFor();
  await bench.shot('paused');
  await bench.command('Specloom: Resume');
  await entries(bench, 'words', 'Keep it short').first().waitFor();
}

async function reload(bench) {
  await entries(bench, 'words', 'Short it is').first().waitFor();
  await bench.page.reload();
  await bench.page.locator('.monaco-workbench').waitFor();
  await entries(bench, 'words', 'Keep it short').first().waitFor();
  await entries(bench, 'words', 'Thinking').locator('summary').first().click();
  await entries(bench, 'words', 'A function of its own will do').first().waitFor();
  await agent(bench).locator('#to-end').click();
  await agent(bench).locator('#bar', { hasText: 'task 01/1.1' }).waitFor();
  await bench.page.locator('.statusbar', { hasText: '01/1.1' }).waitFor();
  await bench.shot('reloaded-still-running');
  ask('release', 'reloaded');
  await entries(bench, 'note', 'Task 01/1.1 is done, and proven').first().waitFor();
}

async function editBeside(bench) {
  await bench.file('greet.py');
  await bench.page.locator('.editor-group-container.active .view-line').first().click();
  await bench.page.locator('.editor-group-container.active .monaco-editor.focused').first().waitFor();
  await bench.page.keyboard.press('Control+Home');
  await bench.page.keyboard.insertText('# my own line\n');
  await bench.page.locator('.tab.active.dirty', { hasText: 'greet.py' }).waitFor();
  ask('release', 'typed');
  await entries(bench, 'call', 'changed in the editor, not saved yet').first().waitFor();
  assert.ok((await bench.lines()).some((line) => line.includes('name + "!"')), 'the edit is not in the editor');
  await bench.page.locator('.tab.active.dirty', { hasText: 'greet.py' }).waitFor();
  await bench.shot('edit-beside-own-typing');
}

async function kill(bench) {
  ask('kill-daemon');
  await entries(bench, 'note', 'Paused').nth(1).waitFor();
  await bench.shot('daemon-was-killed');
  await bench.command('Specloom: Resume');
  ask('release', 'killed');
  await entries(bench, 'note', 'Task 01/1.2 is done, and proven').first().waitFor();
  const code = await onDisk('greet.py', 'name + "!"');
  assert.ok(code.startsWith('# my own line\n'), 'what the person typed is gone');
  await entries(bench, 'note', 'Run completed').first().waitFor();
  await bench.shot('done');
}

async function look(bench) {
  await agent(bench).getByRole('button', { name: 'Find' }).first().click();
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
}
