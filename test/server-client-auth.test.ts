/** Client certificates: who is believed, what is known of them, and that a resumed session grants no more than a full one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { before } from 'node:test';
import tls from 'node:tls';
import type { ClientAuthConfig, Identity, ServerTlsConfig } from '../src/config/config.ts';
import type { Sockets } from '../src/socket/sockets.ts';
import { makeCert } from './support/certs.ts';
import { eventually, within } from './support/eventually.ts';
import { makeScope, type Scope } from './support/process.ts';
import { type Serving, startServing } from './support/serving.ts';
import { onBoth } from './support/sockets.ts';
import { serverTls } from './support/tls-settings.ts';

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

interface Place {
  readonly scope: Scope;
  readonly sockets: Sockets;
}

const auth = (
  mode: ClientAuthConfig['mode'],
  ...trusted: readonly Identity[]
): ClientAuthConfig => ({ mode, trustCerts: trusted.map(({ certs }) => certs), crls: [] });

const start = (
  { scope, sockets }: Place,
  clientAuth: ClientAuthConfig,
  rest: Partial<ServerTlsConfig> = {},
): Promise<Serving> =>
  startServing(scope, {
    sockets,
    settings: { tls: serverTls({ defaultIdentity: server, clientAuth, ...rest }) },
  });

/** A client that shakes hands, and its last session, once the server has given one. */
const connect = async (
  scope: Scope,
  { port }: Serving,
  options: tls.ConnectionOptions & { readonly identity?: Identity } = {},
) => {
  const { identity, ...rest } = options;
  const socket = tls.connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ...(identity && { cert: identity.certs, key: identity.privateKey }),
    ...rest,
  });
  scope.after(() => {
    socket.destroy();
  });
  let session: Buffer | undefined;
  socket.on('session', (given) => {
    session = given;
  });
  socket.on('error', () => undefined).resume();
  await within('a handshake', once(socket, 'secureConnect'));
  return { socket, session: () => eventually('a session', () => session) };
};

/** What the server made of the last client. */
const outcome = (serving: Serving, index: number): Promise<string> =>
  eventually('an outcome', () => {
    const [secured, rejected] = [serving.all('secured'), serving.all('rejected')];
    if (secured.length + rejected.length <= index) return undefined;
    const last = serving.events.findLast(({ t }) => t === 'secured' || t === 'rejected');
    if (last?.t === 'secured') return last.isResumed ? 'resumed' : 'full';
    return last?.t === 'rejected' ? (last.close.detail ?? '') : undefined;
  });

const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

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
        const serving = await start({ scope, sockets }, auth(mode, web, expired));
        const shown = identity();
        const options = {
          minVersion: version,
          maxVersion: version,
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
  const serving = await start({ scope, sockets }, auth('required', web));
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

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only = { minVersion: version, maxVersion: version };

  onBoth(
    `a session goes on, and its certificate is still known (${version})`,
    async (t, { sockets }) => {
      const scope = makeScope(t);
      const serving = await start({ scope, sockets }, auth('required', web));
      const { session } = await connect(scope, serving, { identity: web, ...only });
      const again = await connect(scope, serving, {
        session: await session(),
        identity: web,
        ...only,
      });
      assert.equal(again.socket.isSessionReused(), true);
      assert.equal(await outcome(serving, 1), 'resumed');
      const [, arrived] = await serving.told('arrived', 2);
      assert.equal(arrived?.envelope.cert?.spiffe, SPIFFE);
    },
  );

  onBoth(
    `a ticket of a server that asks for less is none here (${version})`,
    async (t, { sockets }) => {
      const scope = makeScope(t);
      const lax = await start({ scope, sockets }, auth('none'));
      const strict = await start({ scope, sockets }, auth('required', web));
      const { session } = await connect(scope, lax, only);
      await connect(scope, strict, { session: await session(), ...only }).catch(() => undefined);
      assert.equal(await outcome(strict, 0), NO_CERTIFICATE);
    },
  );

  onBoth(`a change of whom to trust ends old sessions (${version})`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await start({ scope, sockets }, auth('required', web, stranger));
    const { session } = await connect(scope, serving, { identity: stranger, ...only });
    const before = await session();
    const changed = serverTls({ defaultIdentity: server, clientAuth: auth('required', web) });
    serving.config$.next({ ...serving.config$.value, tls: changed });
    const options = { session: before, identity: stranger, ...only };
    await connect(scope, serving, options).catch(() => undefined);
    assert.equal(await outcome(serving, 1), 'DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  onBoth(`a reload of the same keeps them (${version})`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await start({ scope, sockets }, auth('required', web));
    const { session } = await connect(scope, serving, { identity: web, ...only });
    const before = await session();
    const same = serverTls({ defaultIdentity: server, clientAuth: auth('required', web) });
    serving.config$.next({ ...serving.config$.value, tls: same });
    await connect(scope, serving, { session: before, identity: web, ...only });
    assert.equal(await outcome(serving, 1), 'resumed');
  });

  onBoth(`a certificate that expires ends its session (${version})`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await start({ scope, sockets }, auth('required', web));
    const { session } = await connect(scope, serving, { identity: web, ...only });
    const before = await session();
    serving.advanceWall(3 * 86_400_000);
    const options = { session: before, identity: web, ...only };
    await connect(scope, serving, options).catch(() => undefined);
    assert.equal(await outcome(serving, 1), 'CERT_HAS_EXPIRED');
  });

  onBoth(
    `where sessions are off each handshake is a full one (${version})`,
    async (t, { sockets }) => {
      const scope = makeScope(t);
      const serving = await start({ scope, sockets }, auth('none'), { sessionTimeoutSecs: 0 });
      const { socket } = await connect(scope, serving, only);
      const session = socket.getSession();
      await connect(scope, serving, { ...(session && { session }), ...only });
      assert.equal(await outcome(serving, 1), 'full');
    },
  );
}

onBoth('a name that is not ours is refused in so many words', async (t, { sockets }) => {
  const scope = makeScope(t);
  const identities = new Map([['*.shop.example', server]]);
  const serving = await start({ scope, sockets }, auth('none'), { identities, strictSni: true });
  const ask = (servername: string) => connect(scope, serving, { servername });
  await ask('A.shop.example');
  for (const name of ['a.b.shop.example', 'shop.example', 'other'])
    await assert.rejects(ask(name), { code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' });
  await serving.told('rejected', 3);
  assert.equal(await outcome(serving, 3), 'ERR_SSL_UNRECOGNIZED_NAME');
});
