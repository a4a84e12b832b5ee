/** Servers behind a proxy that tells whose its connections are. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { IdentifyRule, ServerConfig } from '../../src/config/config.ts';
import { encodeProxyHeader } from '../../src/proxy-protocol/encode.ts';
import type { Place, Tlvs } from '../../src/proxy-protocol/header.ts';
import type { TakenClient } from '../../src/server/clients.ts';
import type { Sockets } from '../../src/socket/sockets.ts';
import { eventually } from './eventually.ts';
import type { Scope } from './process.ts';
import { type Serving, startServing } from './serving.ts';
import { turn } from './sockets.ts';

const FROM: Place = { ip: '10.1.2.3', port: 4000 };
const TO: Place = { ip: '192.0.2.1', port: 5432 };

/** A header from 10.1.2.3:4000 to 192.0.2.1:5432. */
export const header = (version: 1 | 2, tlvs: Tlvs = {}): Buffer =>
  Buffer.from(encodeProxyHeader({ version, source: FROM, destination: TO, tlvs }));

const RULES: readonly IdentifyRule[] = [
  { place: '', conditions: { sni: ['{name}.example'] }, dst: '/svc/{name}' },
  { place: '', conditions: { source: ['10.0.0.0/8'], localPort: [5432] }, dst: '/svc/lan' },
  { place: '', conditions: {}, dst: '/svc/rest' },
];

/** Believes the clients of this network, loopback unless told. */
export const trusting = (required: boolean, trust = '127.0.0.0/8') => ({
  proxyProtocol: { trust: [trust], required, timeoutMs: 3000 },
});

/** Serves by name and by where a connection comes from: `/svc/NAME`, `/svc/lan` or `/svc/rest`. */
export const startProxied = (
  { scope, sockets }: { readonly scope: Scope; readonly sockets: Sockets },
  settings: Partial<ServerConfig>,
): Promise<Serving> => startServing(scope, { sockets, settings: { identify: RULES, ...settings } });

/** The first client that arrived. */
export const firstOf = async (serving: Serving): Promise<TakenClient> => {
  const [arrived] = await serving.told('arrived');
  const taken = serving.clients.take(arrived?.envelope.id ?? 0);
  assert.ok(taken);
  return taken;
};

/** Waits for the one refusal, `reason detail`. Nothing is left of the client then. */
export const refusal = async (serving: Serving): Promise<string> => {
  const [rejected] = await serving.told('rejected');
  await eventually('the base line', () => serving.descriptors.held === 0);
  assert.equal(serving.timers.size(), 0, 'no limit is left');
  assert.equal(serving.all('arrived').length, 0);
  const { reason, detail } = rejected?.close ?? {};
  return [reason, detail].filter(Boolean).join(' ');
};

/** Says the bytes one by one. */
export const sayEach = async (client: Socket, bytes: Buffer): Promise<void> => {
  for (const byte of bytes) {
    client.write(Buffer.of(byte));
    await turn();
  }
};
