import assert from "node:assert/strict";
import { test } from "node:test";
import { Coalesced } from "../src/server/coalesced";

/** Work that ends when it is told to. */
class Works {
  begun = 0;
  most = 0;
  private readonly ends: (() => void)[] = [];

  readonly work = async (): Promise<void> => {
    this.begun += 1;
    this.most = Math.max(this.most, this.begun - this.ended);
    await new Promise<void>((resolve) => this.ends.push(resolve));
    this.ended += 1;
  };
  ended = 0;

  async end(): Promise<void> {
    this.ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("of many wishes to start again one is carried out, and one more after it", async () => {
  const works = new Works();
  const once = new Coalesced(works.work);
  const wishes = [once.wish(), once.wish(), once.wish()];
  await works.end();
  assert.deepEqual([works.begun, works.most], [2, 1], "the wishes that came meanwhile are one");
  await works.end();
  await Promise.all(wishes);
  assert.deepEqual([works.begun, works.ended], [2, 2]);
  void once.wish();
  assert.equal(works.begun, 3, "what is over keeps nothing back");
  await works.end();
});

test("work that fails fails for all who wished for it, and for nobody after them", async () => {
  let fails = true;
  const once = new Coalesced(() => (fails ? Promise.reject(new Error("no")) : Promise.resolve()));
  const wishes = [once.wish(), once.wish()];
  for (const wish of wishes) await assert.rejects(wish, /no/);
  fails = false;
  await once.wish();
});
