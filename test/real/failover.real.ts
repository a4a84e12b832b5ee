/** One of three Redis dies under load and comes back: who notices, and when it is used again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import type { EndpointView } from '../../src/view.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { makeScope, type Service } from '../support/process.ts';
import { route } from '../support/route.ts';
import { startRedis } from '../support/servers.ts';

const CLIENTS = 60;
const scope = makeScope({ after });
let backends: readonly Service[];
let daemon: Daemon;

before(async () => {
  backends = await Promise.all([startRedis(scope), startRedis(scope), startRedis(scope)]);
  const ports = backends.map(({ port }) => port);
  const failFast = { maxConsecutiveFailures: 1, failurePenaltySecs: 1 };
  daemon = await startDaemon(scope, { routers: [route('redis', ports, { client: { failFast } })] });
});

/** A connection through the daemon that asks one thing after the other; a question fails when it breaks. */
class Client {
  readonly #socket: Socket;
  readonly #gone: Promise<unknown>;

  constructor() {
    this.#socket = connect(daemon.ports[0] ?? 0, '127.0.0.1').setNoDelay(true);
    this.#socket.setEncoding('utf8').on('error', () => undefined);
    this.#gone = once(this.#socket, 'close');
  }

  /** The port of the Redis that answers. */
  async whoAnswers(): Promise<number> {
    let text = '';
    this.#socket.write('CONFIG GET port\r\n');
    while (!/\r\n(\d+)\r\n$/.test(text)) {
      const next = await Promise.race([once(this.#socket, 'data'), this.#gone]);
      if (this.#socket.destroyed) throw new Error('the connection broke');
      text += Array.isArray(next) ? next[0] : '';
    }
    return Number(/\r\n(\d+)\r\n$/.exec(text)?.[1]);
  }

  close(): void {
    this.#socket.destroy();
  }
}

const askOnce = async (): Promise<number> => {
  const client = new Client();
  try {
    return await client.whoAnswers();
  } finally {
    client.close();
  }
};

const endpoint = async (port: number): Promise<EndpointView | undefined> => {
  const [router] = await daemon.routers();
  return router?.names[0]?.endpoints.find(({ address }) => address === `127.0.0.1:${port}`);
};

/** Asks without a pause on one connection until told to stop; gives how many answers came. */
const keepAsking = async (client: Client, stopped: () => boolean): Promise<number> => {
  let answers = 0;
  while (!stopped()) {
    await client.whoAnswers();
    answers++;
  }
  return answers;
};

test('only clients of the backend that dies fail, and it is used again after its penalty', async () => {
  const clients = Array.from({ length: CLIENTS }, () => new Client());
  scope.after(() => {
    for (const client of clients) client.close();
  });
  const homes = await Promise.all(clients.map((client) => client.whoAnswers()));
  const [victim] = backends;
  assert.ok(victim !== undefined);
  const spread = backends.map(({ port }) => homes.filter((home) => home === port).length);
  assert.ok(Math.min(...spread) > 5, `the load is spread: ${spread}`);

  let stop = false;
  const asking = clients.map((client) => keepAsking(client, () => stop));
  const outcomes = Promise.allSettled(asking);
  await victim.kill();
  const newcomers = await Promise.all(Array.from({ length: 100 }, askOnce));
  assert.ok(!newcomers.includes(victim.port), 'newcomers are served by the others');
  const failed = await endpoint(victim.port);
  assert.equal(failed?.state, 'failed');
  assert.ok((failed.penaltyMs ?? 0) > 0);

  stop = true;
  for (const [i, outcome] of (await outcomes).entries()) {
    const expected: string = homes[i] === victim.port ? 'rejected' : 'fulfilled';
    assert.equal(outcome.status, expected, `client ${i} of ${homes[i]}`);
  }

  await startRedis(scope, { port: victim.port });
  await eventually('a new connection reaches it', async () => (await askOnce()) === victim.port);
  const restored = await endpoint(victim.port);
  assert.equal(restored?.state, 'available');
  assert.equal(restored.consecutiveFailures, 0);
});

test('while a backend is dead and its penalty over, newcomers still do not notice', async () => {
  const [, victim] = backends;
  await victim?.kill();
  const end = performance.now() + 3000;
  let asked = 0;
  while (performance.now() < end) {
    const answers = await Promise.all(Array.from({ length: 10 }, askOnce));
    asked += answers.length;
  }
  assert.ok(asked >= 100, `${asked}`);
});
