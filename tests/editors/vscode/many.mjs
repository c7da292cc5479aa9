// The start of a window over a project of many tasks, taken apart: the workbench and its extensions first, then what is ours.
import { STARTING, ask, play, say, told } from './workbench.mjs';
import { show } from './specloom.mjs';

await play(async (bench) => {
  const began = performance.now();
  const marks = {};
  const mark = (name) => {
    marks[name] = Math.round(performance.now() - began);
  };
  await bench.page.goto(`${told('ADDRESS')}/?folder=${encodeURIComponent(told('ROOT'))}`, { timeout: STARTING });
  await bench.page.locator('.monaco-workbench').waitFor({ timeout: STARTING });
  mark('workbench');
  await show(bench);
  mark('container');
  ask('shown');
  await bench.rows('Part 1').first().waitFor();
  mark('rows');
  ask('rows');
  say(`measured ${JSON.stringify(marks)}`);
});
