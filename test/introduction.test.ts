/** What an endpoint is told of the connection that is for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientPolicy } from '../src/config/config.ts';
import { clientPolicy, DEFAULT_POLICY } from '../src/config/policy.ts';
import type { Envelope } from '../src/envelope.ts';
import { introduce } from '../src/introduction.ts';
import type { Path } from '../src/path.ts';
import { decodeProxyHeader } from '../src/proxy-protocol/decode.ts';
import { clientTls } from './support/tls-settings.ts';

const envelope = (rest: Partial<Envelope> = {}): Envelope => ({
  id: 1,
  rt: 'a',
  srv: '0.0.0.0:443',
  src: '[2001:db8::9]:4000',
  dst: '/svc/a' as Path,
  rule: '',
  at: 0,
  deadline: 0,
  ...rest,
});

const introduced = (rest: Partial<Envelope> = {}) => ({
  envelope: envelope(rest),
  local: () => '[2001:db8::1]:443',
});

const policy = (rest: Partial<ClientPolicy>): ClientPolicy => ({ ...DEFAULT_POLICY, ...rest });

test('most connections are not introduced', () => {
  assert.deepEqual(introduce(DEFAULT_POLICY, undefined), {});
});

test('the name that a client asked for becomes the endpoint’s, where it is wanted', () => {
  const wanting = policy({ serverName: 'x.{sni}' });
  assert.deepEqual(introduce(wanting, introduced({ sni: 'db.example' })), {
    serverName: 'x.db.example',
  });
  for (const nobody of [introduced(), undefined])
    assert.deepEqual(introduce(wanting, nobody), {
      lacks: 'the client asked for no server name',
    });
});

test('a policy fills what its prefix captured into the name, and leaves the client’s', () => {
  const tls = clientTls({ dnsName: '{service}.{sni}.{other}' });
  const blocks = [{ prefix: '/svc/{service}', settings: { tls, minConnections: 3 } }];
  const { serverName, minConnections } = clientPolicy(blocks, '/svc/db/1' as Path);
  assert.equal(serverName, 'db.{sni}.{other}');
  // A spare is for nobody yet.
  assert.equal(minConnections, 0);
});

const header = (version: 'v1' | 'v2', rest: Partial<Envelope> = {}) => {
  const said = introduce(policy({ proxyProtocol: version }), introduced(rest));
  assert.ok('preamble' in said && said.preamble !== undefined);
  const decoded = decodeProxyHeader(said.preamble, { required: true });
  assert.ok(decoded.t === 'header');
  return decoded.header;
};

const PLACES = {
  source: { ip: '2001:db8::9', port: 4000 },
  destination: { ip: '2001:db8::1', port: 443 },
};

test('a PROXY header tells both addresses as the client sees them (cases 67, 73)', () => {
  assert.deepEqual(header('v1'), { version: 1, ...PLACES });
  assert.deepEqual(header('v2'), { version: 2, ...PLACES, tlvs: {} });
  const behind = header('v1', { local: '192.0.2.1:5432', src: '10.0.0.1:1' });
  assert.deepEqual(behind.destination, { ip: '192.0.2.1', port: 5432 });
});

test('version 2 tells name, protocol and certificate too', () => {
  const cert = { subject: 'CN=web', cn: 'web', dns: [], uris: [], ips: [], fingerprint: '' };
  const { tlvs } = header('v2', { sni: 'db.example', alpn: 'h2', tls: 'TLSv1.3', cert });
  const ssl = { verified: true, version: 'TLSv1.3', cn: 'web' };
  assert.deepEqual(tlvs, { authority: 'db.example', alpn: 'h2', ssl });
});

test('a client that has gone meanwhile is not introduced', () => {
  const said = introduce(policy({ proxyProtocol: 'v1' }), undefined);
  assert.deepEqual(said, { lacks: 'the client has gone' });
});
