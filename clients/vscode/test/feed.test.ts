import assert from "node:assert/strict";
import { test } from "node:test";
import { Feed } from "../src/feed";
import type { Method, ParamsOf, ResultOf, Wire, WireEvent } from "../src/wire";
import { ROOT, event, project } from "./people";

/** A server that answers from functions, and remembers what it was asked. */
class Server implements Wire {
  readonly asked: [Method, unknown][] = [];
  projectId = "p1";
  end = 10;
  refusal: Error | undefined;

  request<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    this.asked.push([method, params]);
    if (method === "specloom/project/get") {
      return Promise.resolve(project({ id: this.projectId, seq: this.end }) as unknown as ResultOf<M>);
    }
    const refusal = this.refusal;
    this.refusal = undefined;
    return refusal ? Promise.reject(refusal) : Promise.resolve({ seq: this.end, projectId: this.projectId } as unknown as ResultOf<M>);
  }

  get methods(): string[] {
    return this.asked.map(([method, params]) => `${method.replace("specloom/", "")} ${(params as { since?: number }).since ?? ""}`.trim());
  }
}

function listening(server: Server): { feed: Feed; heard: string[] } {
  const heard: string[] = [];
  const feed = new Feed(ROOT, server, {
    snapshot: (told) => heard.push(`snapshot ${told.seq}`),
    event: (told: WireEvent) => heard.push(`event ${told.seq}`),
  });
  return { feed, heard };
}

test("a project is asked for once, and its events go on after the snapshot", async () => {
  const server = new Server();
  const { feed, heard } = listening(server);
  await feed.attach();
  for (const seq of [9, 10, 11, 11, 12]) {
    feed.hear(event(seq, "projectOpened"));
  }
  assert.deepEqual(heard, ["snapshot 10", "event 11", "event 12"]);
  assert.deepEqual(server.methods, ["project/get", "events/subscribe 10"]);
});

test("after a break the events go on where they ended, without another snapshot", async () => {
  const server = new Server();
  const { feed, heard } = listening(server);
  await feed.attach();
  feed.hear(event(11, "projectOpened"));
  await feed.attach();
  assert.deepEqual(heard, ["snapshot 10", "event 11"]);
  assert.deepEqual(server.methods.slice(2), ["events/subscribe 11"]);
});

test("a log that is another one is asked for anew", async () => {
  const server = new Server();
  const { feed, heard } = listening(server);
  await feed.attach();
  server.projectId = "p2";
  server.end = 3;
  await feed.attach();
  assert.deepEqual(heard, ["snapshot 10", "snapshot 3"]);
  assert.equal(feed.projectId, "p2");
});

test("a log that ends before what was heard is asked for anew", async () => {
  const server = new Server();
  const { feed, heard } = listening(server);
  await feed.attach();
  server.end = 4;
  server.refusal = Object.assign(new Error("ahead"), { data: { reason: "seq-ahead" } });
  await feed.attach();
  assert.deepEqual(heard, ["snapshot 10", "snapshot 4"]);
  assert.deepEqual(server.methods.at(-1), "events/subscribe 4");
});

test("any other refusal is told", async () => {
  const server = new Server();
  const { feed } = listening(server);
  server.refusal = Object.assign(new Error("busy"), { data: { reason: "busy" } });
  await assert.rejects(feed.attach(), /busy/);
});
