/** Sessions of clients: what a ticket is good for, and where, and that it grants no more than a full handshake. */
import assert from 'node:assert/strict';
import { before } from 'node:test';
import type { Identity, ServerTlsConfig } from '../src/config/config.ts';
import type { Sockets } from '../src/socket/sockets.ts';
import { makeCert } from './support/certs.ts';
import { within } from './support/eventually.ts';
import { makeScope, type Scope } from './support/process.ts';
import { bound, makeHandEnv, portOf, type Serving, startServing } from './support/serving.ts';
import { onBoth } from './support/sockets.ts';
import {
  approach,
  auth,
  connect,
  goesOn,
  type Handshaking,
  NO_CERTIFICATE,
  only,
  outcome,
  retune,
  startTls,
} from './support/tls-clients.ts';
import { serverTls } from './support/tls-settings.ts';

let server: Identity;
let web: Identity;
let stranger: Identity;
let expired: Identity;

before(async () => {
  [server, web, stranger, expired] = await Promise.all([
    makeCert('server.example'),
    makeCert('web'),
    makeCert('stranger'),
    makeCert('old', { isExpired: true }),
  ]);
});

const DAY_MS = 86_400_000;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

type Settings = Partial<ServerTlsConfig>;

/** Asks for certificates, which these are good for; or for none. */
const asking = (
  mode: 'none' | 'optional' | 'required',
  ...trusted: readonly Identity[]
): Settings => ({
  clientAuth: auth(mode, ...trusted),
});

/** Comes for a session, comes again with it, and says what became of that. */
const comeAgain = async (
  { scope, from, to }: { readonly scope: Scope; readonly from: Serving; readonly to: Serving },
  options: Handshaking,
  meanwhile: () => void = () => undefined,
): Promise<string> => {
  const session = await approach(scope, from, options).session();
  await outcome(from, 0);
  meanwhile();
  approach(scope, to, { ...options, session });
  return outcome(to, to === from ? 1 : 0);
};

/** Two servers with the same keys, as in two processes; `isOne`: they stand for the same server. */
const startTwins = async (
  { scope, sockets }: { readonly scope: Scope; readonly sockets: Sockets },
  { isOne, ...settings }: Settings & { readonly isOne: boolean },
): Promise<{ readonly scope: Scope; readonly from: Serving; readonly to: Serving }> => {
  const from = await startTls({ scope, sockets }, settings);
  const listener = await bound(scope, makeHandEnv().env, { sockets });
  const twin = isOne ? { ...listener, srv: from.listener.srv } : listener;
  const own = { tls: serverTls(settings) };
  const to = await startServing(scope, { sockets, settings: own, listener: twin });
  return { scope, from, to: { ...to, port: portOf(listener.srv) } };
};

const NEVER = { sessionTimeoutSecs: 0 };

/** Who comes to a server, which is changed before it comes again, and what becomes of its session. */
const CHANGES: readonly (readonly [
  what: string,
  who: () => Identity | undefined,
  first: () => Settings,
  then: () => Settings,
  wanted: string | undefined,
])[] = [
  [
    'stays as it is',
    () => web,
    () => asking('required', web),
    () => asking('required', web),
    undefined,
  ],
  [
    'begins to require certificates',
    () => undefined,
    () => asking('none'),
    () => asking('required', web),
    NO_CERTIFICATE,
  ],
  [
    'begins to ask for them',
    () => web,
    () => asking('none', web),
    () => asking('optional', web),
    'full',
  ],
  [
    'no longer does without',
    () => undefined,
    () => asking('optional', web),
    () => asking('required', web),
    NO_CERTIFICATE,
  ],
  [
    'trusts fewer',
    () => stranger,
    () => asking('required', stranger, web),
    () => asking('required', web),
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ],
  [
    'seals tickets with other keys',
    () => undefined,
    () => ({}),
    () => ({ ticketKeys: Buffer.alloc(48, 8) }),
    'full',
  ],
  ['has no sessions any more', () => undefined, () => ({}), () => NEVER, 'full'],
  ['never had any', () => undefined, () => NEVER, () => NEVER, 'full'],
];

for (const version of VERSIONS) {
  const versions = only(version);

  for (const [what, who, first, then, wanted] of CHANGES)
    onBoth(`a session of a server that ${what} (${version})`, async (t, { sockets }) => {
      const scope = makeScope(t);
      const base = { defaultIdentity: server, ...versions };
      const serving = await startTls({ scope, sockets }, { ...base, ...first() });
      const identity = who();
      const options = { ...versions, ...(identity && { identity }) };
      const reload = (): void => retune(serving, { ...base, ...then() });
      const place = { scope, from: serving, to: serving };
      const became = await comeAgain(place, options, reload);
      assert.equal(became, wanted ?? goesOn(sockets, version));
    });

  onBoth(`a certificate that expires ends its session (${version})`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const settings = { defaultIdentity: server, ...asking('required', web), ...versions };
    const serving = await startTls({ scope, sockets }, settings);
    const place = { scope, from: serving, to: serving };
    const wait = (): void => serving.advanceWall(3 * DAY_MS);
    const became = await comeAgain(place, { identity: web, ...versions }, wait);
    // A full handshake is judged by the library, and on the true time.
    assert.equal(became, goesOn(sockets, version) === 'full' ? 'full' : 'CERT_HAS_EXPIRED');
  });

  for (const mode of ['optional', 'required'] as const)
    for (const [what, identity, why] of [
      ['a stranger', () => stranger, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      ['one whose certificate has expired', () => expired, 'CERT_HAS_EXPIRED'],
    ] as const)
      onBoth(`${mode}: ${what} is given no session (${version})`, async (t, { sockets }) => {
        const scope = makeScope(t);
        const settings = { defaultIdentity: server, ...asking(mode, web, expired), ...versions };
        const serving = await startTls({ scope, sockets }, settings);
        const sessions: Buffer[] = [];
        const { socket } = approach(scope, serving, { identity: identity(), ...versions });
        socket.on('session', (session) => sessions.push(session));
        await within('its end', new Promise((resolve) => socket.once('close', resolve)));
        assert.equal(await outcome(serving, 0), why);
        assert.deepEqual(sessions, []);
      });

  onBoth(`a session is good for its own server only (${version})`, async (t, { sockets }) => {
    const settings = { defaultIdentity: server, ...versions, isOne: false };
    const twins = await startTwins({ scope: makeScope(t), sockets }, settings);
    assert.equal(await comeAgain(twins, versions), 'full');
  });

  onBoth(
    `and for all processes that serve it, with what its certificate says (${version})`,
    async (t, { sockets }) => {
      const settings = { defaultIdentity: server, ...asking('required', web), ...versions };
      const twins = await startTwins(
        { scope: makeScope(t), sockets },
        { ...settings, isOne: true },
      );
      const became = await comeAgain(twins, { identity: web, ...versions });
      assert.equal(became, goesOn(sockets, version));
      const [arrived] = await twins.to.told('arrived');
      assert.equal(arrived?.envelope.cert?.cn, 'web');
    },
  );

  for (const strictSni of [false, true])
    onBoth(
      `whoever goes on is still asking for its name, strict: ${strictSni} (${version})`,
      async (t, { sockets }) => {
        const scope = makeScope(t);
        const identities = new Map([['a.example', server]]);
        const settings = { identities, strictSni, defaultIdentity: web, ...versions };
        const serving = await startTls({ scope, sockets }, settings);
        const place = { scope, from: serving, to: serving };
        const became = await comeAgain(place, { servername: 'A.Example', ...versions });
        assert.equal(became, goesOn(sockets, version));
        const names = (await serving.told('arrived', 2)).map(({ envelope: { sni } }) => sni);
        assert.deepEqual(names, ['a.example', 'a.example']);
      },
    );
}

onBoth('TLS 1.2 that may be spoken beside TLS 1.3 keeps its name too', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startTls({ scope, sockets }, { defaultIdentity: server });
  const place = { scope, from: serving, to: serving };
  await comeAgain(place, { servername: 'a.example', ...only('TLSv1.2') });
  const names = (await serving.told('arrived', 2)).map(({ envelope: { sni } }) => sni);
  assert.deepEqual(names, ['a.example', 'a.example']);
});

onBoth('with a session of one name, another may be asked for', async (t, { sockets }) => {
  const scope = makeScope(t);
  const identities = new Map([
    ['a.example', server],
    ['b.example', web],
  ]);
  const versions = only('TLSv1.3');
  const serving = await startTls({ scope, sockets }, { identities, ...versions });
  const { session } = await connect(scope, serving, { servername: 'a.example', ...versions });
  const again = { session: await session(), ...versions };
  await connect(scope, serving, { servername: 'b.example', ...again });
  const [, arrived] = await serving.told('arrived', 2);
  assert.equal(arrived?.envelope.sni, 'b.example');
  approach(scope, serving, { servername: 'c.example', ...again });
  assert.equal(await outcome(serving, 2), 'ERR_SSL_UNRECOGNIZED_NAME');
});
