/** 2,000 clients that dribble a ClientHello: a counted close each, others are served meanwhile, and nothing stays. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { clientHello } from './support/client-hello.ts';
import { startDaemon } from './support/daemon.ts';
import { eventually } from './support/eventually.ts';
import { makeIdentity } from './support/identity.ts';
import { makeScope } from './support/process.ts';
import { route } from './support/route.ts';
import { dropPeers, openPeer, openPeers, type Peer, startEcho } from './support/tcp.ts';

const CROWD = 2000;
const AT_ONCE = 250;
const scope = makeScope({ after });

/** Says a byte more to each, for as long as it is told. */
const dribble = async (
  peers: readonly Peer[],
  bytes: Buffer,
  more: () => boolean,
): Promise<void> => {
  for (let at = 0; at < bytes.length && more(); at++) {
    for (const { socket } of peers) socket.write(bytes.subarray(at, at + 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
};

const CASES = [
  ['peeked at', { peek: { timeoutMs: 2000 } }, 'unidentified'],
  ['before TLS', { handshakeTimeoutMs: 2000 }, 'tls-timeout'],
] as const;

for (const [what, settings, reason] of CASES)
  test(`a crowd that dribbles while it is ${what} ends with ${reason}`, async () => {
    const isPeeked = 'peek' in settings;
    const tls = { defaultIdentity: await makeIdentity(scope, 'localhost'), ...settings };
    const server = {
      dstName: undefined,
      identify: [{ sni: 'a.example', dst: '/svc/crowd' }],
      ...(isPeeked ? settings : { tls }),
    };
    const echo = await startEcho(scope);
    const routers = [route('crowd', [echo], { server })];
    const daemon = await startDaemon(scope, { log: { format: 'json', level: 'debug' }, routers });
    const [port = 0] = daemon.ports;
    const before = daemon.descriptors();
    const peers: Peer[] = [];
    // More at a time would not fit into the system’s queue, and the last would come very late.
    while (peers.length < CROWD) {
      peers.push(...(await openPeers(port, AT_ONCE)));
      await eventually(
        'all are here',
        async () => (await daemon.metric('l5d:srv:accepts')) === peers.length,
      );
    }
    let isOver = false;
    const hello = await clientHello({ servername: 'b.example' });
    const dribbling = dribble(peers, hello.subarray(0, 100), () => !isOver);
    if (isPeeked) {
      const good = await openPeer(port);
      const whole = await clientHello({ servername: 'a.example' });
      good.socket.write(whole);
      assert.equal((await good.read(whole.length)).length, whole.length);
      const [router] = await daemon.routers();
      const [{ id, srv, src, ageMs, ...known } = assert.fail('no connection')] =
        router?.connections ?? [];
      assert.deepEqual(
        [id > 0, srv, src.startsWith('127.0.0.1:'), ageMs >= 0],
        [true, `127.0.0.1:${port}`, true, true],
      );
      assert.deepEqual(known, {
        dst: '/svc/crowd',
        rule: 'routers[0].servers[0].identify[0]',
        sni: 'a.example',
        tls: 'TLSv1.3',
        isWaiting: false,
      });
      await dropPeers([good]);
    }
    await eventually(
      'all are refused',
      async () => (await daemon.metric('l5d:srv:rejected')) === CROWD,
    );
    const line = /reason="([^"]+)".* (\d+)$/;
    const { body } = await daemon.get('/metrics');
    const told = body
      .split('\n')
      .flatMap((text) => (text.startsWith('l5d:srv:rejected{') ? [line.exec(text)?.slice(1)] : []));
    assert.deepEqual(told, [[reason, `${CROWD}`]]);
    if (isPeeked) {
      assert.equal(await daemon.metric('l5d:srv:peeked', 'found="late"'), CROWD);
      assert.equal(await daemon.metric('l5d:srv:peeked', 'found="hello"'), 1);
    }
    isOver = true;
    await dribbling;
    await dropPeers(peers);
    await eventually('nothing is left', () => daemon.descriptors() <= before);
    assert.equal(await daemon.metric('l5d:srv:active'), 0);
  });
