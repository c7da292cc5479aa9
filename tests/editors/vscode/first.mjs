// The first minutes of somebody who never heard of it: a folder without requirements, the walkthrough, a server that lacks; then a
// window of several folders, one with ten thousand tasks.
import { strict as assert } from 'node:assert';
import { STARTING, ask, isSoon, play, say, told, until } from './workbench.mjs';
import { choose, foldOut, onDisk, press, show } from './specloom.mjs';

/** Steps of the walkthrough, each with the page beside it. */
const STEPS = [['Get the server', 'The server'], ['Write requirements', 'Requirements'], ['Give a key', 'A key'], ['Plan', 'The plan'], ['Run', 'The run']];
const MANY = 10_000;
/** Beside other work, one of three began without folders. */
const OPENINGS = 8;

await play(async (bench) => {
  await bench.folder(told('ROOT'));
  await show(bench);
  await nothingHere(bench);
  await walk(bench);
  await write(bench);
  await chooseServer(bench);
  await severalFolders(bench);
  await oneOfMany(bench);
  await oneQuestionAtATime(bench);
  await cancelByProgress(bench);
  assert.deepEqual([...bench.refused], [], 'something asked the network');
});

function welcome(bench, text) {
  return bench.page.locator('.sidebar .welcome-view-content', { hasText: text });
}

/** No server is started, and no view is there but what begins. */
async function nothingHere(bench) {
  await welcome(bench, 'Write down what should be true').waitFor();
  assert.equal(await bench.page.locator('.pane-header', { hasText: 'Agent' }).count(), 0, 'there is an Agent view of nothing');
  ask('rests');
  await bench.shot('nothing-here');
}

async function walk(bench) {
  await welcome(bench, 'Write down').getByRole('button', { name: 'How It Works' }).click();
  const page = bench.page.locator('.gettingStartedContainer');
  await page.locator('.category-title', { hasText: 'From requirements to proven work' }).first().waitFor();
  for (const [step, beside] of [...STEPS, STEPS[1]]) {
    await page.locator('.getting-started-step .step-title', { hasText: step }).first().click();
    await page.locator('.getting-started-step.expanded', { hasText: step }).waitFor();
    await bench.webview().locator('h2', { hasText: beside }).waitFor();
  }
  await bench.shot('walkthrough');
  await page.getByRole('button', { name: 'Create requirements.md' }).click();
}

async function write(bench) {
  await bench.page.locator('.tab.active', { hasText: 'requirements.md' }).waitFor();
  await bench.page.locator('.editor-group-container.active .active-line-number', { hasText: /^5$/ }).waitFor();
  await bench.page.locator('.editor-group-container.active .monaco-editor.focused').first().waitFor();
  await bench.page.keyboard.insertText('The garden shall be watered.');
  await bench.page.keyboard.press('Control+s');
  await onDisk('requirements.md', '1. The garden shall be watered.');
}

async function chooseServer(bench) {
  await bench.notification('server was not found').waitFor();
  await bench.shot('no-server');
  await welcome(bench, 'server was not found').getByRole('button', { name: 'Choose Server' }).click();
  const input = bench.page.locator('.quick-input-widget input.input');
  await until(async () => (await input.inputValue()).startsWith(told('ROOT')), 'the dialog to open a file');
  await input.fill(told('SPECLOOM'));
  await bench.page.locator('.quick-input-list .monaco-list-row', { hasText: 'notes.txt' }).waitFor({ state: 'detached' });
  await bench.page.locator('.quick-input-widget').getByRole('button', { name: 'Use This Server' }).click();
  await welcome(bench, 'What is wanted is written down').getByRole('button', { name: 'Plan Specs and Tasks' }).waitFor();
  await bench.page.locator('.notifications-toasts.visible').waitFor({ state: 'hidden' });
  await bench.shot('ready-to-plan');
}

async function severalFolders(bench) {
  // On a busy machine the workbench itself may begin without the folders of a workspace, and counts none for good.
  const unread = bench.page.locator('.sidebar', { hasText: 'Open a folder to begin' });
  for (let tries = 1, read = false; tries <= OPENINGS && !read; tries++) {
    await openWorkspace(bench);
    await unread.or(project(bench, 'greeter')).first().waitFor();
    read = await isSoon(unread, 'hidden', 10_000);
  }
  // Until here the workbench starts, and what runs extensions.
  const began = performance.now();
  const after = () => `${Math.round(performance.now() - began)} ms`;
  for (const name of ['greeter', 'other']) await project(bench, name).waitFor();
  say(`measured rows of two small projects after ${after()}`);
  await project(bench, 'many').waitFor();
  say(`measured rows of ${MANY} tasks after ${after()}`);
  assert.equal(await project(bench, 'notes').count(), 0, 'a folder without requirements is a project');
  await bench.shot('several-folders');
}

async function openWorkspace(bench) {
  await bench.page.goto(`${told('ADDRESS')}/?workspace=${encodeURIComponent(told('WORKSPACE'))}`, { timeout: STARTING });
  await bench.page.locator('.monaco-workbench').waitFor({ timeout: STARTING });
  await show(bench);
}

function project(bench, name) {
  return bench.page.locator(`.sidebar .monaco-list-row[aria-level="1"][aria-label^="Project ${name},"]`);
}

/** One task among ten thousand is shown, and changes alone. */
async function oneOfMany(bench) {
  await bench.page.evaluate(watchFrames);
  const part = bench.rows('00 Part 0');
  const task = (number) => bench.page.locator(`.sidebar .monaco-list-row[aria-label^="Task ${number} Task number ${number},"]`);
  await took('folded out', () => foldOut(bench, part, task(1)));
  await task(3).click({ button: 'right' });
  const input = bench.page.locator('.quick-input-widget input.input');
  const skip = bench.page.locator('.monaco-menu .action-label', { hasText: 'Skip Task' });
  await skip.waitFor();
  // A menu that has just opened takes no click.
  await until(async () => {
    if (await skip.isVisible()) await skip.click({ timeout: 1000 }).catch(() => {});
    return input.isVisible();
  }, 'the menu to act');
  await input.fill('Not wanted');
  await took('one task', async () => {
    await bench.page.keyboard.press('Enter');
    await task(3).filter({ hasText: 'skipped' }).waitFor();
  });
  say(`measured ${JSON.stringify(await bench.page.evaluate(() => globalThis.seen()))}`);
  await bench.shot('one-of-ten-thousand');
}

async function took(what, act) {
  const began = performance.now();
  await act();
  say(`measured ${what} ${Math.round(performance.now() - began)} ms`);
}

/** In the page: how long its thread was busy at once. */
function watchFrames() {
  const long = [];
  new PerformanceObserver((list) => long.push(...list.getEntries().map((one) => one.duration))).observe({ entryTypes: ['longtask'] });
  globalThis.seen = () => ({ long: long.length, longest: Math.round(Math.max(0, ...long)) });
}

/** What it will probably take is told before it starts; a limit is offered by what is known of it. */
async function withBudget(bench) {
  const lists = bench.page.locator('.quick-input-list .monaco-list-row');
  await lists.filter({ hasText: /1 task · .* turns · scripted-1/ }).waitFor();
  await bench.page.locator('.quick-input-titlebar', { hasText: 'Run Project in greeter' }).waitFor();
  await bench.shot('before-a-run');
  await choose(bench, 'Run with a Budget');
  const input = bench.page.locator('.quick-input-widget input.input');
  await bench.page.locator('.quick-input-widget', { hasText: 'turns, as the price of this model is not known' }).waitFor();
  await input.fill('none');
  await bench.page.locator('.quick-input-widget', { hasText: 'A number above 0' }).waitFor();
  await input.fill('7');
  await bench.page.keyboard.press('Enter');
}

/** Two projects ask; the second is put when the first is answered. Each says whose it is. */
async function oneQuestionAtATime(bench) {
  for (const [at, name] of ['greeter', 'other'].entries()) {
    await press(bench, project(bench, name), 'Run Project');
    await [withBudget, (one) => choose(one, 'Run')][at](bench);
    await bench.page.locator('.activitybar .badge-content', { hasText: String(at + 1) }).waitFor();
    // Its row moves all others down, which the badge does not wait for.
    await bench.page.locator('.sidebar .monaco-list-row[aria-label^="Waits for you"]').nth(at).waitFor();
  }
  const toasts = bench.page.locator('.notifications-toasts.visible .notification-list-item');
  await toasts.filter({ hasText: 'Specloom asks in greeter: 1 verify command' }).waitFor();
  assert.equal(await toasts.filter({ hasText: 'Specloom asks' }).count(), 1, 'two questions are put at once');
  await bench.shot('two-projects-ask');
  await bench.page.keyboard.press('Control+Alt+a');
  await bench.page.locator('.quick-input-list .monaco-list-row', { hasText: 'other' }).first().waitFor();
  await choose(bench, 'greeter');
  await choose(bench, 'Allow once');
  await answerBelow(toasts.filter({ hasText: 'Specloom asks in other: 1 verify command' }), 'Allow once', 3000);
  for (const name of ['greeter', 'other']) await project(bench, name).filter({ hasText: 'running' }).waitFor();
  await bench.page.locator('.sidebar .monaco-list-row[aria-label^="Waits for you"]').first().waitFor({ state: 'detached' });
}

/** By a button of the notification, which goes then. One that moves or is drawn anew takes no click: then once more. */
async function answerBelow(notification, name, moment) {
  await notification.waitFor();
  await until(async () => {
    const button = notification.getByRole('button', { name });
    if (await button.isVisible()) await button.click({ timeout: moment }).catch(() => {});
    return isSoon(notification, 'hidden', moment);
  }, `${name} to be taken`);
}

/** A click on the progress leads to its end; the other project's run goes on. Who answers late is told so. */
async function cancelByProgress(bench) {
  await bench.page.locator('.statusbar-item', { hasText: 'Specloom run of' }).first().click();
  const shown = bench.page.locator('.notification-list-item', { hasText: 'Specloom run of other' });
  await press(bench, shown, 'Cancel');
  await project(bench, 'other').filter({ hasText: 'running' }).waitFor({ state: 'detached' });
  await bench.shot('cancelled-by-its-progress');
  const late = bench.page.locator('.notification-list-item', { hasText: 'Specloom asks in greeter' });
  // What it is told stands in the status bar for some seconds only.
  await answerBelow(late, 'Deny', 1000);
  await bench.page.locator('.statusbar', { hasText: 'that question is answered already' }).waitFor();
  assert.ok((await project(bench, 'greeter').innerText()).includes('running'), 'the other run ended, too');
}
