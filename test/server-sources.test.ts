/** Who is let in by address, and what becomes of those that no rule is for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerConfig } from '../src/config/config.ts';
import { eventually, within } from './support/eventually.ts';
import { takeOver } from './support/hearer.ts';
import { makeScope } from './support/process.ts';
import { ended, open, startServing } from './support/serving.ts';
import { onBoth } from './support/sockets.ts';

const TRUST_NOBODY = { trust: ['192.0.2.1'], required: true, timeoutMs: 3000 };
const DENIED = 'source-denied routers[0].servers[0].sources';

const CASES: readonly (readonly [
  what: string,
  settings: Partial<ServerConfig>,
  close: string | undefined,
])[] = [
  ['in an allowed network', { sources: { allow: ['127.0.0.0/8'], deny: [] } }, undefined],
  ['in none of the allowed ones', { sources: { allow: ['10.0.0.0/8'], deny: [] } }, DENIED],
  ['denied and allowed', { sources: { allow: ['127.0.0.1'], deny: ['127.0.0.0/24'] } }, DENIED],
  ['only not denied', { sources: { allow: [], deny: ['10.0.0.0/8', '::1'] } }, undefined],
  [
    'no trusted proxy where one is required',
    { proxyProtocol: TRUST_NOBODY },
    'proxy-protocol routers[0].servers[0] (not a trusted proxy)',
  ],
  [
    'no trusted proxy where none is required',
    { proxyProtocol: { ...TRUST_NOBODY, required: false } },
    undefined,
  ],
  [
    'one that no rule is for',
    { identify: [{ place: '', conditions: { localPort: [1] }, dst: '/a' }] },
    'unidentified routers[0].servers[0].identify',
  ],
];

for (const [what, settings, close] of CASES)
  onBoth(`a client that is ${what} is ${close ?? 'let in'}`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startServing(scope, { sockets, settings });
    const client = open(scope, serving.port);
    if (close === undefined) {
      await within('a connection', once(client, 'connect'));
      client.write('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n');
      const [arrived] = await serving.told('arrived');
      const taken = serving.clients.take(arrived?.envelope.id ?? 0);
      assert.ok(taken);
      // A header of somebody who is not trusted is the client’s own business.
      assert.match(await takeOver(taken).gets(34), /^PROXY TCP4/);
      assert.equal(arrived?.envelope.src, `127.0.0.1:${client.localPort}`);
      return;
    }
    assert.equal(await ended(client), 'ECONNRESET');
    const [rejected] = await serving.told('rejected');
    const { reason, place, detail } = rejected?.close ?? {};
    const told = `${reason} ${place}${detail === undefined ? '' : ` (${detail})`}`;
    assert.equal(told, close);
    await eventually('the base line', () => serving.descriptors.held === 0);
  });
