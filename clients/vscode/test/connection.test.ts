import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../src/connection";
import { ROOT, project } from "./people";

type Client = Parameters<Connection["attached"]>[0];
type Asked = { commandId?: string };

/** A server that answers by a function, and what it was asked. */
function server(answer: () => Promise<unknown>): { client: Client; asked: Asked[] } {
  const asked: Asked[] = [];
  const sendRequest = (_: string, params: Asked): Promise<unknown> => {
    asked.push(params);
    return answer();
  };
  return { client: { sendRequest, onNotification: () => ({ dispose: () => undefined }) } as unknown as Client, asked };
}

const works = (): Promise<unknown> => Promise.resolve({ seq: 1 });
const broken = (code: unknown) => (): Promise<unknown> => Promise.reject(Object.assign(new Error("write EPIPE"), { code }));

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("an order whose server went is given to the next one, and is the same order", async () => {
  for (const code of [-32099, "EPIPE"]) {
    const connection = new Connection();
    const [first, second] = [server(broken(code)), server(works)];
    connection.attached(first.client);
    const order = connection.order("specloom/run/cancel", { root: ROOT });
    await settled();
    assert.equal(first.asked.length, 1, "it is not sent into a pipe that broke");
    connection.detached();
    connection.attached(second.client);
    await order;
    assert.equal(second.asked[0]?.commandId, first.asked[0]?.commandId);
    assert.ok(first.asked[0]?.commandId);
  }
});

test("what a person asks for while the server starts again is answered by the next one", async () => {
  const connection = new Connection();
  const answer = connection.ask("specloom/run/estimate", { root: ROOT, scope: { kind: "project" } });
  await settled();
  connection.attached(server(works).client);
  assert.deepEqual(await answer, { seq: 1 });
});

test("a refusal is told at once", async () => {
  const connection = new Connection();
  const refused = Object.assign(new Error("there is no run"), { code: -32803, data: { reason: "no-run" } });
  connection.attached(server(() => Promise.reject(refused)).client);
  await assert.rejects(connection.order("specloom/run/cancel", { root: ROOT }), /there is no run/);
});

test("what is being said is told once more by a subscription behind what was heard", async () => {
  const connection = new Connection();
  const { client, asked } = server(() => Promise.resolve({ ...project(), projectId: "p1" }));
  connection.attached(client);
  connection.setRoots([ROOT]);
  connection.recall(ROOT);
  assert.equal(asked.length, 1, "of a project that nobody has heard of yet it is told anyway");
  await settled();
  const before = asked.length;
  connection.recall(ROOT);
  await settled();
  assert.deepEqual(asked.slice(before), [{ root: ROOT, since: 10, output: true, health: true, heartbeatS: 15 }]);
  connection.detached();
  connection.recall(ROOT);
  assert.equal(asked.length, before + 1);
});
