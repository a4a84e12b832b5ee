/** Client certificates: who is believed, what is known of them, and which names are ours. */
import assert from 'node:assert/strict';
import { before } from 'node:test';
import type { Identity } from '../src/config/config.ts';
import { makeCert } from './support/certs.ts';
import { eventually } from './support/eventually.ts';
import { makeScope } from './support/process.ts';
import { onBoth } from './support/sockets.ts';
import { auth, connect, NO_CERTIFICATE, only, outcome, startTls } from './support/tls-clients.ts';

const SPIFFE = 'spiffe://prod/ns/shop/sa/web';

let server: Identity;
let web: Identity;
let stranger: Identity;
let expired: Identity;

before(async () => {
  [server, web, stranger, expired] = await Promise.all([
    makeCert('server.example'),
    makeCert('web', { names: ['Web.Example'], uris: [SPIFFE] }),
    makeCert('stranger'),
    makeCert('old', { isExpired: true }),
  ]);
});

const CASES = [
  ['none', () => undefined, 'full', 'optional'],
  ['none', () => undefined, NO_CERTIFICATE, 'required'],
  ['one that is trusted', () => web, 'full', 'required'],
  ['one of a stranger', () => stranger, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'required'],
  ['one of a stranger', () => stranger, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'optional'],
  ['one that has expired', () => expired, 'CERT_HAS_EXPIRED', 'required'],
] as const;

for (const [what, identity, wanted, mode] of CASES)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    onBoth(
      `${mode}, and a client shows ${what}: ${wanted} (${version})`,
      async (t, { sockets }) => {
        const scope = makeScope(t);
        const serving = await startTls(
          { scope, sockets },
          { defaultIdentity: server, clientAuth: auth(mode, web, expired) },
        );
        const shown = identity();
        const options = {
          ...only(version),
          ...(shown && { identity: shown }),
        };
        await connect(scope, serving, options).catch(() => undefined);
        assert.equal(await outcome(serving, 0), wanted);
        if (wanted === 'full') return;
        await eventually('the base line', () => serving.descriptors.held === 0);
        assert.equal(serving.timers.size(), 0);
      },
    );

onBoth('what a verified certificate says is known of the connection', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startTls(
    { scope, sockets },
    { defaultIdentity: server, clientAuth: auth('required', web) },
  );
  await connect(scope, serving, { identity: web });
  const [arrived] = await serving.told('arrived');
  const { fingerprint = '', ...known } = arrived?.envelope.cert ?? {};
  assert.match(fingerprint, /^[0-9a-f]{64}$/);
  assert.deepEqual(known, {
    subject: 'CN=web',
    cn: 'web',
    dns: ['web.example'],
    uris: [SPIFFE],
    ips: [],
    spiffe: SPIFFE,
  });
});

onBoth('a name that is not ours is refused in so many words', async (t, { sockets }) => {
  const scope = makeScope(t);
  const identities = new Map([['*.shop.example', server]]);
  const serving = await startTls(
    { scope, sockets },
    { defaultIdentity: server, identities, strictSni: true },
  );
  const ask = (servername: string) => connect(scope, serving, { servername });
  await ask('A.shop.example');
  for (const name of ['a.b.shop.example', 'shop.example', 'other'])
    await assert.rejects(ask(name), { code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' });
  await serving.told('rejected', 3);
  assert.equal(await outcome(serving, 3), 'ERR_SSL_UNRECOGNIZED_NAME');
});
