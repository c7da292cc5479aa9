// The workbench itself: a folder is shown, and nothing was asked of the network.
import { strict as assert } from 'node:assert';
import { play, say, told } from './workbench.mjs';

await play(async (bench) => {
  await bench.folder(told('ROOT'));
  await bench.file('requirements.md');
  await bench.shot('opens');
  assert.ok((await bench.lines()).some((line) => line.includes('Greeter')));
  say(`refused: ${[...bench.refused].join(', ') || 'nothing'}`);
});
