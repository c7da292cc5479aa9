// 20,000 deltas stream into the Agent view: counts what they cost while they are shown, and how long anything stood still.
import { strict as assert } from 'node:assert';
import { ask, play, say, told, until } from './workbench.mjs';
import { agent, answer, choose, entries, onDisk, pageOf, show } from './specloom.mjs';

await play(async (bench) => {
  await bench.folder(told('ROOT'));
  await show(bench);
  await agent(bench).locator('#absent:not([hidden]), #log .item').first().waitFor();
  await bench.command('Specloom: Run Project');
  await choose(bench, 'Run');
  await answer(bench, 'verify command', 'Allow in this project');
  await agent(bench).locator('#bar', { hasText: 'task 01/1.1' }).waitFor();
  await entries(bench, 'session', 'executor').first().waitFor();
  if (told('VIEW') === 'hidden') return unseen(bench);
  const page = await pageOf(bench);
  await page.evaluate(watchFrames);
  ask('begin');
  await until(async () => await page.evaluate(() => globalThis.ended), 'the end of the answer', 100_000);
  ask('end');
  const seen = await page.evaluate(() => globalThis.seen());
  say(`measured ${JSON.stringify(seen)}`);
  assert.ok(seen.left < 40, `the end is not followed: ${seen.left} pixels below`);
  await bench.shot('streamed');
  await stay(bench, page);
});

/** The same without the view: what the rest costs. */
async function unseen(bench) {
  await bench.command('View: Toggle Primary Side Bar Visibility');
  await agent(bench).locator('#bar').waitFor({ state: 'detached' });
  ask('begin');
  await onDisk('greet.py', 'def greet', 100_000);
  ask('end');
  ask('release', 'more');
}

/** In the page: the longest pause between two frames, and the long tasks of its thread. */
function watchFrames() {
  const gaps = [];
  let last = performance.now();
  const tick = (now) => {
    gaps.push(now - last);
    last = now;
    const newest = gaps.length % 20 === 0 ? [...document.querySelectorAll('#log .by-agent')].at(-1) : undefined;
    globalThis.ended ||= newest?.textContent.slice(-400).includes('The end is here') ?? false;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  const long = [];
  new PerformanceObserver((list) => long.push(...list.getEntries().map((one) => one.duration))).observe({ entryTypes: ['longtask'] });
  globalThis.seen = () => {
    const log = document.querySelector('#log');
    const sorted = [...gaps].sort((a, b) => a - b);
    return {
      frames: gaps.length,
      median: sorted[gaps.length >> 1],
      p99: sorted[Math.floor(gaps.length * 0.99)],
      longest: Math.max(0, ...long),
      long: long.length,
      nodes: document.querySelectorAll('*').length,
      characters: log.textContent.length,
      left: log.scrollHeight - log.scrollTop - log.clientHeight,
    };
  };
}

/** Who scrolls up stays there while more comes. */
async function stay(bench, page) {
  await agent(bench).locator('#log').hover();
  await bench.page.mouse.wheel(0, -600);
  await agent(bench).locator('#to-end').waitFor();
  const before = await page.evaluate(() => document.querySelector('#log').scrollTop);
  ask('release', 'more');
  await entries(bench, 'note', 'Run completed').waitFor({ state: 'attached' });
  assert.equal(await page.evaluate(() => document.querySelector('#log').scrollTop), before, 'the view moved under the reader');
  await agent(bench).locator('#to-end').click();
  await until(async () => (await page.evaluate(() => globalThis.seen())).left < 40, 'the end again');
}
