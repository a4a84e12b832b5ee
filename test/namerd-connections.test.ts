/** The served API on connections that behave badly: pipelines, readers that do not read, clients that leave early. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { firstValueFrom } from 'rxjs';
import { MOST_UNREAD_BYTES } from '../src/namerd/exchanges.ts';
import { dtab, startApi } from './support/api.ts';
import { eventually } from './support/eventually.ts';

const WATCH = 'GET /api/1/dtabs?watch=true HTTP/1.1\r\nhost: x\r\n\r\n';
const DTABS = WATCH.replace('?watch=true', '');

test('the watches of a connection end with it, also those whose turn to answer never came', async (t) => {
  const api = await startApi(t, { a: '/a => /b' });
  const socket = connect(api.port, '127.0.0.1');
  socket.write(WATCH.repeat(30));
  await eventually('they are open', () => api.counts().watches === 30);
  socket.destroy();
  await eventually('none is left', () => api.counts().watches === 0);
  assert.equal((await api.ask('dtabs')).status, 200);
});

test('a watch tells a document that is larger than what may be unread', async (t) => {
  const api = await startApi(t, {});
  await firstValueFrom(api.store.put('big', dtab('/a=>/b;'.repeat(200_000))));
  const stream = await api.watch('dtabs/big?watch=true');
  assert.ok(((await stream.line())?.length ?? 0) > MOST_UNREAD_BYTES);
  await firstValueFrom(api.store.put('big', dtab('/a=>/c')));
  assert.equal(await stream.line(), '[{"prefix":"/a","dst":"/c"}]');
});

test('HEAD of a watch is its head alone, and the connection goes on', async (t) => {
  const api = await startApi(t, { a: '/a => /b' });
  const socket = connect(api.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(WATCH.replace('GET', 'HEAD') + DTABS);
  let text = '';
  for await (const bytes of socket) {
    text += bytes;
    if (text.endsWith('["a"]\n')) break;
  }
  const [head = '', next = ''] = text.split('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 200 OK\r\ncontent-type: application\/json/);
  assert.match(next, /^HTTP\/1\.1 200 OK/);
  assert.equal(api.counts().watches, 0);
});
