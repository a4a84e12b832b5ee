/** What the socket pipe passes on while both sides live: bytes, their counts, and ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type Connection,
  fill,
  handlesGone,
  onBoth,
  openHandles,
  pattern,
  turn,
  Waiting,
} from './support/sockets.ts';

onBoth(
  'bytes of an endpoint that speaks first reach a silent client (case 1)',
  async (t, { join }) => {
    const { client, endpoint, told } = await join(t);
    await endpoint.says('220 ready\r\n');
    await client.gets(11);
    assert.equal(client.text, '220 ready\r\n');
    assert.equal(told.answered, 1);
  },
);

onBoth(
  'what the endpoint wrote before it ended arrives whole, then the end (case 2)',
  async (t, { join }) => {
    const { client, endpoint } = await join(t);
    const answer = pattern(1, 0, 3_000_000);
    endpoint.socket.end(answer);
    assert.equal(await client.outcome, 'end');
    assert.ok(client.received.equals(answer));
  },
);

onBoth('a client may end and still get its answer (cases 3, 11)', async (t, { join }) => {
  const { client, endpoint, summary, told } = await join(t);
  client.socket.end('question');
  assert.equal(await endpoint.outcome, 'end');
  assert.equal(endpoint.text, 'question');
  endpoint.socket.end('answer');
  assert.equal(await client.outcome, 'end');
  assert.equal(client.text, 'answer');
  const { close, rx, tx, endpointFirst } = await summary;
  assert.deepEqual(close, { reason: 'end', by: 'client' });
  assert.deepEqual([rx, tx, endpointFirst, told.answered], [8, 6, false, 1]);
});

onBoth(
  'a client that is slow to take its answer gets all of it, and a good end',
  async (t, { join }) => {
    const joined = await join(t, { reading: false });
    const { client, endpoint, summary, told } = joined;
    client.socket.end('question');
    endpoint.read();
    assert.equal(await endpoint.outcome, 'end');
    const length = await fill(joined, 'endpoint', 1);
    endpoint.socket.end();
    await once(endpoint.socket, 'finish');
    for (let i = 0; i < 20; i++) await turn();
    assert.equal(told.closed, 0);
    assert.equal(await client.read().outcome, 'end');
    assert.ok(client.received.equals(pattern(1, 0, length)));
    const { close, rx, tx } = await summary;
    assert.deepEqual([close, rx, tx], [{ reason: 'end', by: 'client' }, 8, length]);
  },
);

onBoth('an endpoint may end and still be written to (case 11)', async (t, { join }) => {
  const { client, endpoint, summary } = await join(t);
  endpoint.socket.end('bye');
  assert.equal(await client.outcome, 'end');
  client.socket.end(pattern(2, 0, 500_000));
  assert.equal(await endpoint.outcome, 'end');
  assert.ok(endpoint.received.equals(pattern(2, 0, 500_000)));
  const { close, endpointFirst } = await summary;
  assert.deepEqual(close, { reason: 'end', by: 'endpoint' });
  assert.equal(endpointFirst, true);
});

onBoth('the end of one side closes only its direction (cases 10, 13)', async (t, { join }) => {
  const { client, endpoint, near, told } = await join(t);
  client.socket.end();
  assert.equal(await endpoint.outcome, 'end');
  for (const part of ['one', 'two', 'six']) {
    const before = client.length;
    await endpoint.says(part);
    await client.gets(before + 3);
  }
  assert.deepEqual([near.client.isOpen, near.endpoint.isOpen, told.closed], [true, true, 0]);
});

onBoth('a client that closes is seen by the endpoint (case 14)', async (t, { join }) => {
  const { client, endpoint, summary } = await join(t);
  client.socket.destroy();
  assert.equal(await endpoint.outcome, 'end');
  endpoint.socket.end();
  const { rx, tx, close } = await summary;
  assert.deepEqual([rx, tx, close.reason], [0, 0, 'end']);
});

onBoth(
  'several exchanges pass on one connection until the endpoint ends it (case 17)',
  async (t, { join }) => {
    const { client, endpoint } = await join(t);
    endpoint.socket.on('data', (chunk) => endpoint.socket.write(chunk));
    for (let i = 1; i <= 50; i++) {
      await client.says(pattern(3, client.length, 100));
      await client.gets(i * 100);
    }
    endpoint.socket.end();
    assert.equal(await client.outcome, 'end');
    assert.ok(client.received.equals(pattern(3, 0, 5000)));
  },
);

onBoth(
  'a message in many writes arrives joined, a big one whole, and a second close is harmless (case 19)',
  async (t, { join }) => {
    const { client, endpoint, stream, summary, told } = await join(t);
    const big = pattern(4, 10, 2_000_000);
    for (let i = 0; i < 10; i++) await client.says(pattern(4, i, 1));
    client.socket.end(big);
    assert.equal(await endpoint.outcome, 'end');
    assert.ok(endpoint.received.equals(pattern(4, 0, 2_000_010)));
    stream.abort({ reason: 'shutdown', by: 'proxy' });
    stream.abort({ reason: 'internal', by: 'proxy' });
    assert.deepEqual((await summary).close, { reason: 'shutdown', by: 'proxy' });
    await turn();
    assert.equal(told.closed, 1);
  },
);

onBoth(
  'the counters are exact, live and in the summary, and 0 when nobody spoke (case 20)',
  async (t, { join }) => {
    const { client, endpoint, stream, summary, told } = await join(t);
    assert.deepEqual([stream.rx, stream.tx], [0, 0]);
    await client.says(pattern(5, 0, 12_345));
    await endpoint.gets(12_345);
    await endpoint.says(pattern(6, 0, 67));
    await client.gets(67);
    assert.deepEqual([stream.rx, stream.tx], [12_345, 67]);
    client.socket.end('x');
    endpoint.socket.end('yz');
    const { rx, tx } = await summary;
    assert.deepEqual([rx, tx], [12_346, 69]);

    const silent = await join(t);
    silent.client.socket.end();
    silent.endpoint.socket.end();
    const { answeredAt, ...rest } = await silent.summary;
    assert.deepEqual(
      [rest.rx, rest.tx, answeredAt, told.answered, silent.told.answered],
      [0, 0, undefined, 1, 0],
    );
  },
);

onBoth('tells the first byte of the endpoint once, with its time', async (t, { join }) => {
  const { client, endpoint, clock, told, summary } = await join(t);
  clock.advance(250);
  await endpoint.says('a');
  await client.gets(1);
  clock.advance(250);
  await endpoint.says('b');
  await client.gets(2);
  assert.equal(told.answered, 1);
  client.socket.end();
  endpoint.socket.end();
  assert.equal((await summary).answeredAt, 250);
});

/** What a peer says and ends with while nobody is joined with it. */
const waited = async (connection: Connection, words: string): Promise<Waiting> => {
  const waiting = new Waiting(connection.near);
  waiting.begin();
  connection.far.end(words);
  while (!waiting.hasEnded) await turn();
  assert.equal(Buffer.concat(waiting.said).toString(), words);
  return waiting;
};

onBoth(
  'passes on what had come, and an end that had come, before the stream was opened',
  async (t, { join, connectPlain }) => {
    const [client, endpoint] = [await connectPlain('far'), await connectPlain('near')];
    const begun = {
      client: await waited(client, 'early question'),
      endpoint: await waited(endpoint, 'early answer'),
    };
    const joined = await join(t, { client, endpoint, begun });
    assert.equal(await joined.client.outcome, 'end');
    assert.equal(await joined.endpoint.outcome, 'end');
    assert.deepEqual(
      [joined.client.text, joined.endpoint.text],
      ['early answer', 'early question'],
    );
    joined.clock.advance(0);
    const { close, rx, tx } = await joined.summary;
    assert.deepEqual([close.reason, rx, tx, joined.told.answered], ['end', 14, 12, 1]);
  },
);

onBoth(
  'what was read before the stream was opened comes before what comes later',
  async (t, { join, connectPlain }) => {
    const client = await connectPlain('far');
    const waiting = new Waiting(client.near);
    waiting.begin();
    for (let i = 0; waiting.said.length < 3; ) {
      const before = waiting.said.length;
      client.far.write(pattern(9, i, 5));
      i += 5;
      while (waiting.said.length === before) await turn();
    }
    const said = Buffer.concat(waiting.said).length;
    client.far.end(pattern(9, said, 300_000));
    const joined = await join(t, { client, begun: { client: waiting } });
    assert.equal(await joined.endpoint.outcome, 'end');
    assert.ok(joined.endpoint.received.equals(pattern(9, 0, said + 300_000)));
  },
);

onBoth(
  'passes on an end that was told before the stream was opened',
  async (t, { join, connectPlain }) => {
    const client = await connectPlain('far');
    const joined = await join(t, { client, begun: { client: await waited(client, '') } });
    assert.equal(await joined.endpoint.outcome, 'end');
    joined.endpoint.socket.end('late');
    assert.equal(await joined.client.outcome, 'end');
    assert.equal(joined.client.text, 'late');
    assert.deepEqual((await joined.summary).close, { reason: 'end', by: 'client' });
  },
);

onBoth('a socket that was paused is read', async (t, { join, connectPlain }) => {
  const client = await connectPlain('far');
  client.near.read();
  client.near.pause();
  const joined = await join(t, { client });
  await joined.client.says('hello');
  await joined.endpoint.gets(5);
});

onBoth(
  '50 connections are all served, and nothing of them is left (case 4)',
  async (t, { join }) => {
    const before = openHandles();
    const streams = await Promise.all(Array.from({ length: 50 }, () => join(t)));
    await Promise.all(
      streams.map(async ({ client, endpoint }, i) => {
        endpoint.socket.on('data', (chunk) => endpoint.socket.write(chunk));
        endpoint.socket.on('end', () => endpoint.socket.end());
        client.socket.end(pattern(i, 0, 20_000));
        assert.equal(await client.outcome, 'end');
        assert.ok(client.received.equals(pattern(i, 0, 20_000)));
      }),
    );
    const summaries = await Promise.all(streams.map(({ summary }) => summary));
    assert.deepEqual(
      new Set(summaries.map(({ rx, tx }) => `${rx} ${tx}`)),
      new Set(['20000 20000']),
    );
    for (const { client, endpoint } of streams)
      for (const { socket } of [client, endpoint]) if (!socket.closed) await once(socket, 'close');
    await handlesGone(before);
  },
);
