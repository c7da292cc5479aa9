// A person at the workbench: opens it in a real browser, gives commands by the palette, looks at views.
// Waits for what is shown, never for a time. Refuses every address but loopback.
import { strict as assert } from 'node:assert';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const told = (name) => {
  const value = process.env[`STORY_${name}`];
  assert.ok(value !== undefined, `STORY_${name} is not set`);
  return value;
};

const require = createRequire(path.join(told('PACKAGES'), 'package.json'));
const { chromium } = require('playwright-core');

const DEADLINE = 30_000;
/** The browser takes in some 20 MB of workbench, for the first time, while its server starts. */
export const STARTING = 90_000;
const started = performance.now();
let shots = 0;

/** What the test that plays the story set as STORY_<NAME>. */
export { told };

/** A line of the story's log. */
export function say(text) {
  console.log(`[${((performance.now() - started) / 1000).toFixed(1)} s] ${text}`);
}

/** Asks the test for what only it can do: `ask('release', 'typed')`. */
export function ask(verb, word = '') {
  console.log(`${verb} ${word}`);
}

/** Opens the browser on a folder of the workbench, plays the story, and ends with the verdict as exit status. */
export async function play(story) {
  const browser = await chromium.launch({
    executablePath: told('CHROMIUM'),
    headless: true,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
  let bench;
  let status = 0;
  try {
    bench = await Workbench.open(browser);
    await story(bench);
    say('passed');
  } catch (error) {
    status = 1;
    console.log(error?.stack ?? String(error));
    await bench?.shot('failure').catch(() => {});
    console.log(`shown at the end: ${await bench?.page.locator('.monaco-workbench').innerText().catch(() => '')}`);
  } finally {
    await browser.close();
  }
  process.exit(status);
}

/** One window of VS Code. */
export class Workbench {
  static async open(browser) {
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    // What asks the network for anything is refused, and a test can look at what it was.
    const refused = new Set();
    await context.route(
      (url) => url.protocol.startsWith('http') && url.hostname !== '127.0.0.1',
      (route) => {
        refused.add(new URL(route.request().url()).host);
        return route.abort();
      },
    );
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE);
    const bench = new Workbench(page, refused);
    page.on('console', (message) => bench.console.push(`${message.type()}: ${message.text()}`));
    return bench;
  }

  constructor(page, refused) {
    this.page = page;
    this.refused = refused;
    this.console = [];
  }

  /** Shows a folder; returns when the explorer does. */
  async folder(root) {
    await this.page.goto(`${told('ADDRESS')}/?folder=${encodeURIComponent(root)}`, { timeout: STARTING });
    await this.page.locator('.monaco-workbench').waitFor({ timeout: STARTING });
    await this.page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();
  }

  /** Gives a command by its title. */
  async command(title) {
    await this.pick(`>${title}`, title);
  }

  /** Takes the row that holds a text. The list closes when something else takes the focus: then once more. */
  async pick(typed, text) {
    const input = this.page.locator('.quick-input-widget input.input');
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
    for (let tries = 1; ; tries++) {
      await this.open(input);
      try {
        await input.fill(typed, { timeout: 3000 });
        await row.click({ timeout: 5000 });
        return;
      } catch (error) {
        if (tries === 5) throw error;
      }
    }
  }

  async open(input) {
    // The key can be swallowed while the workbench is loading.
    for (let tries = 0; tries < 20 && !(await input.isVisible()); tries++) {
      await this.page.keyboard.press('F1');
      await input.waitFor({ state: 'visible', timeout: 1500 }).catch(() => {});
    }
  }

  /** Answers the input box or list that a command opened. */
  async answer(text) {
    const input = this.page.locator('.quick-input-widget input.input');
    await input.waitFor({ state: 'visible' });
    await input.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Opens a file of the folder by its name. */
  async file(name) {
    await this.pick(name, name);
    await this.page.locator('.tab.active', { hasText: path.basename(name) }).waitFor();
  }

  /** The document of the active editor, its lines as shown. */
  async lines() {
    const lines = this.page.locator('.editor-group-container.active .view-line');
    // They stand in the page in the order in which they were drawn.
    const shown = await lines.evaluateAll((all) => all.map((line) => ({ top: line.offsetTop, text: line.innerText })));
    return shown.sort((a, b) => a.top - b.top).map((line) => line.text.replaceAll('\u00a0', ' '));
  }

  /** A notification that holds the text. */
  notification(text) {
    return this.page.locator('.notification-list-item', { hasText: text }).last();
  }

  /** Rows of the trees in the side bar. */
  rows(text) {
    return this.page.locator('.sidebar .monaco-list-row', { hasText: text });
  }

  /** The page inside of the webview whose body holds the selector. */
  webview() {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  /** Pulls the edge of the side bar, as a person who wants to read there. */
  async widen(width) {
    const { x, y, width: now, height } = await this.page.locator('.part.sidebar').boundingBox();
    await this.page.mouse.move(x + now, y + height / 2);
    await this.page.mouse.down();
    await this.page.mouse.move(x + width, y + height / 2, { steps: 4 });
    await this.page.mouse.up();
  }

  /** Keeps what is shown, numbered in the order of the story; nothing is caught half faded in. */
  async shot(name) {
    const half = this.page.locator('.notifications-toasts.visible .notification-toast:not(.notification-fade-in-done)');
    await half.first().waitFor({ state: 'detached' });
    await this.page.waitForFunction(() =>
      document.getAnimations().every((each) => each.playState !== 'running' || each.effect?.getComputedTiming().endTime === Infinity),
    );
    shots += 1;
    const file = path.join(told('SHOTS'), `${String(shots).padStart(2, '0')}-${name}.png`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await this.page.screenshot({ path: file });
    say(`shown: ${path.basename(file)}`);
  }
}

/** Waits until a condition holds; `what` says for whom it was waited. */
export async function until(condition, what, deadline = DEADLINE) {
  const end = performance.now() + deadline;
  for (;;) {
    if (await condition()) return;
    assert.ok(performance.now() < end, `not within ${deadline / 1000} s: ${what}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** Whether something gets into that state in time. */
export function isSoon(locator, state, timeout) {
  return locator.waitFor({ state, timeout }).then(
    () => true,
    () => false,
  );
}
