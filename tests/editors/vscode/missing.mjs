// The first minutes where something is missing: each time the workbench says what it is and what to do.
import { ask, isSoon, play, say, told, until } from './workbench.mjs';
import { choose, press, show } from './specloom.mjs';

const STORIES = { untrusted, key: noKey };
const INSTALLING = 180_000;
const TRUSTING = 60_000;

await play(async (bench) => {
  await bench.folder(told('ROOT'));
  await show(bench);
  await STORIES[told('CASE')](bench);
  say(`asked the network for: ${[...bench.refused].join(', ') || 'nothing'}`);
});

async function untrusted(bench) {
  const view = bench.page.locator('.sidebar .welcome-view-content', { hasText: 'trusted folders only' });
  await view.waitFor();
  await bench.shot('untrusted');
  await view.getByRole('button', { name: 'Manage Workspace Trust' }).click();
  const trust = bench.page.getByRole('button', { name: 'Trust', exact: true }).first();
  await trust.waitFor();
  // Its editor is drawn anew while the window starts, and a click on what was there before is lost.
  await until(async () => {
    if (await trust.isVisible()) await trust.click({ timeout: 3000 }).catch(() => {});
    return isSoon(bench.rows('Greeter').first(), 'visible', 3000);
  }, 'the folder to be trusted', TRUSTING);
  await bench.shot('trusted');
}

/** The server comes with the extension. A key is kept by the editor, and given to each server that starts. */
async function noKey(bench) {
  await bench.notification('Specloom: installing its server').waitFor();
  await bench.shot('brings-its-server');
  await bench.rows('Greeter').first().waitFor({ timeout: INSTALLING });
  await run(bench);
  const told = bench.notification('No API key: the command Specloom: Set API Key… takes one; or set ANTHROPIC_API_KEY');
  await told.waitFor();
  await bench.shot('no-key');
  await told.getByRole('button', { name: 'Set API Key…' }).click();
  await choose(bench, 'https://api.anthropic.com');
  await bench.page.locator('.quick-input-widget', { hasText: 'API key for https://api.anthropic.com' }).waitFor();
  await bench.answer('a-key-of-nobody');
  await bench.notification("is kept in this editor's secret storage").waitFor();
  await asksAndIsCancelled(bench);
  ask('kill-daemon');
  await bench.notification("is kept in this editor's secret storage").waitFor({ state: 'detached' });
  await asksAndIsCancelled(bench);
}

async function run(bench) {
  const row = bench.page.locator('.sidebar .monaco-list-row[aria-label^="Project greeter,"]');
  const list = bench.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Run' }).first();
  // A server that starts again takes a while on a busy machine; the list closes when something else takes the focus.
  await until(async () => {
    await press(bench, row, 'Run Project', INSTALLING);
    return isSoon(list, 'visible', 10_000);
  }, 'the list of what to run', INSTALLING);
  await choose(bench, 'Run');
}

/** It is not refused any more; before any model is asked it asks about commands. */
async function asksAndIsCancelled(bench) {
  await run(bench);
  await bench.rows('from greet import greet').first().waitFor();
  await bench.command('Specloom: Cancel Run or Plan');
  await bench.rows('from greet import greet').first().waitFor({ state: 'detached' });
}
