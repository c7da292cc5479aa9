// The first minutes where something is missing: each time the workbench says what it is and what to do.
import { play, say, told } from './workbench.mjs';
import { choose, show } from './specloom.mjs';

const STORIES = { untrusted, server: noServer, key: noKey };

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
  await bench.page.getByRole('button', { name: 'Trust', exact: true }).first().click();
  await bench.rows('Greeter').first().waitFor();
  await bench.shot('trusted');
}

async function noServer(bench) {
  await bench.page.locator('.sidebar .welcome-view-content', { hasText: 'server was not found' }).waitFor();
  await bench.notification('No Python environment is active').or(bench.notification('server was not found')).first().waitFor();
  await bench.shot('no-server');
}

async function noKey(bench) {
  await bench.rows('Greeter').first().waitFor();
  await bench.command('Specloom: Run Project');
  await choose(bench, 'Run');
  const told = bench.notification('No API key: the command Specloom: Set API Key… takes one; or set ANTHROPIC_API_KEY');
  await told.waitFor();
  await bench.shot('no-key');
  await told.getByRole('button', { name: 'Set API Key…' }).click();
  await choose(bench, 'https://api.anthropic.com');
  await bench.page.locator('.quick-input-widget', { hasText: 'API key for https://api.anthropic.com' }).waitFor();
}
