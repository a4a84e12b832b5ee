/** Who we are to endpoints, and what goes on from one handshake with them to the next. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import tls from 'node:tls';
import type { ClientTlsPolicy, Identity } from '../src/config/config.ts';
import type { Dialing } from '../src/connector/connect.ts';
import { JUDGED_MS, MOST_SESSIONS, Sessions } from '../src/connector/sessions.ts';
import type { Sockets } from '../src/socket/sockets.ts';
import { makeCert } from './support/certs.ts';
import { makeDialer } from './support/dialing.ts';
import { eventually } from './support/eventually.ts';
import { hear, say } from './support/hearer.ts';
import { makeScope, type Scope } from './support/process.ts';
import { onBoth } from './support/sockets.ts';
import { startServer } from './support/tcp.ts';

const NAME = 'db.example';

let endpoint: Identity;
let ours: Identity;

before(async () => {
  [endpoint, ours] = await Promise.all([
    makeCert(NAME, { names: [NAME, 'x.example'] }),
    makeCert('proxy'),
  ]);
});

interface Seen {
  readonly alpn: string | false | null;
  readonly cn: unknown;
  readonly isResumed: boolean;
}

/** An endpoint that notes what it sees of each client, and the dials to it. */
const start = async (
  { scope, sockets }: { readonly scope: Scope; readonly sockets: Sockets },
  options: tls.TlsOptions = {},
) => {
  const seen: Seen[] = [];
  const server = tls.createServer(
    { cert: endpoint.certs, key: endpoint.privateKey, ...options },
    (socket) => {
      const { alpnProtocol: alpn } = socket;
      const { CN: cn } = socket.getPeerCertificate().subject ?? {};
      seen.push({ alpn, cn, isResumed: socket.isSessionReused() });
      socket.on('error', () => undefined).pipe(socket);
    },
  );
  const port = await startServer(scope, (raw) => server.emit('connection', raw));
  const dialer = makeDialer(scope, { sockets });
  /** Dials, and waits until an echo has come: sessions come before it. */
  const reach = async (policy: Partial<ClientTlsPolicy>): Promise<string> => {
    const outcome = await dialer.begin(port, { tls: policy }).outcome();
    if (outcome.t !== 'connected') return outcome.detail;
    const hearer = hear(outcome.socket);
    say(outcome.socket, 'ping');
    await hearer.gets(4);
    outcome.socket.destroy();
    return 'connected';
  };
  const trusting = (rest: Partial<ClientTlsPolicy> = {}): Partial<ClientTlsPolicy> => ({
    dnsName: NAME,
    trustCerts: [endpoint.certs],
    ...rest,
  });
  return { seen, reach, trusting, port, dialer };
};

onBoth(
  'an endpoint that asks who we are sees our certificate and protocols',
  async (t, { sockets }) => {
    const options = { requestCert: true, ca: ours.certs, ALPNProtocols: ['redis'] };
    const { seen, reach, trusting } = await start({ scope: makeScope(t), sockets }, options);
    assert.equal(
      await reach(trusting({ clientAuth: ours, alpnProtocols: ['h2', 'redis'] })),
      'connected',
    );
    assert.deepEqual(seen, [{ alpn: 'redis', cn: 'proxy', isResumed: false }]);
  },
);

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  onBoth(
    `the next connection goes on with the session (case 90, ${version})`,
    async (t, { sockets }) => {
      const { seen, reach, trusting } = await start({ scope: makeScope(t), sockets });
      const policy = trusting({ maxVersion: version });
      for (let i = 0; i < 3; i++) assert.equal(await reach(policy), 'connected');
      // Other settings are another policy, and its sessions are its own.
      assert.equal(await reach(trusting({ maxVersion: version })), 'connected');
      assert.deepEqual(
        seen.map(({ isResumed }) => isResumed),
        [false, true, true, false],
      );
    },
  );

onBoth(
  'a session is for one name, and an endpoint that was not believed has none',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const { seen, port, dialer } = await start({ scope, sockets });
    const tlsPolicy = { trustCerts: [endpoint.certs] };
    // The first two are not believed, and end before the endpoint is done.
    const names = ['other.example', 'other.example', NAME, 'x.example', NAME];
    for (const dnsName of names) {
      const outcome = await dialer.begin(port, { tls: tlsPolicy, dnsName }).outcome();
      if (outcome.t !== 'connected') continue;
      const hearer = hear(outcome.socket);
      say(outcome.socket, 'ping');
      await hearer.gets(4);
    }
    assert.deepEqual(
      seen.map(({ isResumed }) => isResumed),
      [false, false, true],
    );
  },
);

onBoth('without validation anybody is believed', async (t, { sockets }) => {
  const { reach } = await start({ scope: makeScope(t), sockets });
  assert.notEqual(await reach({ dnsName: NAME }), 'connected');
  assert.equal(await reach({ disableValidation: true }), 'connected');
  assert.equal(await reach({ disableValidation: true, dnsName: 'whoever.example' }), 'connected');
});

onBoth(
  'what is to be said first comes before TLS, at once (cases 73, 76)',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const said = Buffer.from('PROXY UNKNOWN\r\n');
    const heard: Buffer[] = [];
    const port = await startServer(scope, (raw) => raw.on('data', (bytes) => heard.push(bytes)));
    const { begin } = makeDialer(scope, { sockets });
    const preamble: Dialing['preamble'] = said;
    begin(port, { tls: { dnsName: NAME }, preamble });
    await eventually('a ClientHello', () => Buffer.concat(heard).length > said.length);
    const all = Buffer.concat(heard);
    assert.equal(all.subarray(0, said.length).toString(), said.toString());
    assert.equal(all[said.length], 22);
    heard.length = 0;
    const plain = await begin(port, { preamble }).outcome();
    assert.equal(plain.t, 'connected');
    await eventually('the header alone', () => Buffer.concat(heard).equals(said));
  },
);

test('sessions are bounded: the one used longest ago makes room', () => {
  const sessions = new Sessions();
  for (let i = 0; i <= MOST_SESSIONS; i++) {
    const use = sessions.begin(`endpoint ${i}`, 0);
    use.remember(Buffer.of(i & 255));
    assert.equal(sessions.begin(`endpoint ${i}`, 0).session, undefined);
    use.believe(false);
  }
  assert.equal(sessions.begin('endpoint 0', 0).session, undefined);
  assert.deepEqual(sessions.begin('endpoint 1', 0).session, Buffer.of(1));
});

test('an hour after a certificate was judged it is to be shown again, however often its session went on', () => {
  const sessions = new Sessions();
  const resume = (at: number): boolean => {
    const { session, remember, believe } = sessions.begin('endpoint', at);
    believe(session !== undefined);
    remember(Buffer.of(1));
    return session !== undefined;
  };
  const times = [0, 1, JUDGED_MS - 1, JUDGED_MS, JUDGED_MS + 1];
  assert.deepEqual(times.map(resume), [false, true, true, false, true]);
});
