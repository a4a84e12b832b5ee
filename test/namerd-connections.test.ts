/** The served API on connections that behave badly: pipelines, readers that do not read, clients that leave early. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startApi } from './support/api.ts';
import { eventually } from './support/eventually.ts';

const WATCH = 'GET /api/1/dtabs?watch=true HTTP/1.1\r\nhost: x\r\n\r\n';

test('the watches of a connection end with it, also those whose turn to answer never came', async (t) => {
  const api = await startApi(t, { a: '/a => /b' });
  const socket = connect(api.port, '127.0.0.1');
  socket.write(WATCH.repeat(30));
  await eventually('they are open', () => api.counts().watches === 30);
  socket.destroy();
  await eventually('none is left', () => api.counts().watches === 0);
  assert.equal((await api.ask('dtabs')).status, 200);
});
