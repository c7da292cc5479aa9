// 20,000 deltas stream into the Agent view: counts what they cost while they are shown, and how long anything stood still.
import { strict as assert } from 'node:assert';
import { ask, play, say, told, until } from './workbench.mjs';
import { agent, answer, choose, entries, onDisk, pageOf, show } from './specloom.mjs';
import { tasksOf } from './tasks.mjs';

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
  const tasks = await traced(bench);
  ask('begin');
  await until(async () => await page.evaluate(() => globalThis.ended), 'the end of the answer', 100_000);
  ask('end');
  const seen = { ...(await tasks()), ...(await page.evaluate(() => globalThis.seen())) };
  say(`measured ${JSON.stringify(seen)}`);
  // What was drawn in this moment is followed with its frame.
  await until(async () => (await page.evaluate(() => globalThis.seen())).left < 40, 'the end that is followed');
  // Asked for between two frames, the height of a page that changed is found by laying it out once more.
  assert.ok(seen.heights < 1.5 * seen.draws, `asked for its height ${seen.heights} times, drawn ${seen.draws} times`);
  await bench.shot('streamed');
  await stay(bench, page);
});

/** The same without the view: what the rest costs. */
async function unseen(bench) {
  await bench.command('View: Toggle Primary Side Bar Visibility');
  await agent(bench).locator('#bar').waitFor({ state: 'detached' });
  const tasks = await traced(bench);
  ask('begin');
  await onDisk('greet.py', 'def greet', 100_000);
  ask('end');
  say(`measured ${JSON.stringify(await tasks())}`);
  ask('release', 'more');
}

/** The longest tasks, where the story is to tell them: that costs something, too. */
async function traced(bench) {
  return told('TASKS') === 'traced' ? await tasksOf(bench) : async () => ({});
}

/** In the page: the longest pause between two frames, the long tasks of its thread, how often it is drawn and asked for its height. */
function watchFrames() {
  const gaps = [];
  let last = performance.now();
  const tick = (now) => {
    gaps.push(now - last);
    last = now;
    const newest = gaps.length % 20 === 0 ? [...document.querySelectorAll('#log .by-agent .stream')].at(-1) : undefined;
    globalThis.ended ||= [...(newest?.children ?? [])].slice(-2).some((piece) => piece.textContent.includes('The end is here'));
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  const long = [];
  new PerformanceObserver((list) => long.push(...list.getEntries().map((one) => one.duration))).observe({ entryTypes: ['longtask'] });
  const log = document.querySelector('#log');
  let [draws, heights] = [0, 0];
  // All that is drawn at once is told at once.
  new MutationObserver(() => (draws += 1)).observe(log, { childList: true, subtree: true });
  const { get } = Object.getOwnPropertyDescriptor(Element.prototype, 'scrollHeight');
  const counted = function () {
    heights += 1;
    return get.call(this);
  };
  Object.defineProperty(Element.prototype, 'scrollHeight', { configurable: true, get: counted });
  globalThis.seen = () => {
    const sorted = [...gaps].sort((a, b) => a - b);
    return {
      draws,
      heights,
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

/** Where the log is scrolled to, once what was on its way is drawn. */
function top(page) {
  return page.evaluate(async () => {
    for (let frames = 0; frames < 2; frames++) await new Promise((drawn) => requestAnimationFrame(drawn));
    return document.querySelector('#log').scrollTop;
  });
}

/** Who scrolls up stays there while more comes. */
async function stay(bench, page) {
  await agent(bench).locator('#log').hover();
  const end = await top(page);
  let before = end;
  await bench.page.mouse.wheel(0, -600);
  await agent(bench).locator('#to-end').waitFor();
  // The button comes with the turn of the wheel, before anything has scrolled.
  await until(async () => {
    const last = before;
    before = await top(page);
    return before < end && before === last;
  }, 'the view to stand still');
  ask('release', 'more');
  await entries(bench, 'note', 'Run completed').waitFor({ state: 'attached' });
  assert.equal(await page.evaluate(() => document.querySelector('#log').scrollTop), before, 'the view moved under the reader');
  await agent(bench).locator('#to-end').click();
  await until(async () => (await page.evaluate(() => globalThis.seen())).left < 40, 'the end again');
}
