/** The contract of a proxy’s socket, whatever it is made of: what is said, written, ended and told. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { makeAddress } from '../src/address.ts';
import { findNative } from '../src/socket/native.ts';
import { NOBODY, type PlainSocket, type Socket } from '../src/socket/socket.ts';
import { SERVER_OPTIONS, type Sockets } from '../src/socket/sockets.ts';
import { within } from './support/eventually.ts';
import { Hearer, hear, say } from './support/hearer.ts';
import { findProgram, makeScope, type Scope, succeed } from './support/process.ts';
import { type Connection, onBoth, Peer, pattern, socketClock, turn } from './support/sockets.ts';

const PIECE_BYTES = 64 * 1024;

/** A connection that ends with its test, and its far end, which does not read yet. */
const opened = async <T extends Connection>(t: TestContext, connected: Promise<T>) => {
  const connection = await connected;
  const { near, far } = connection;
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  return { ...connection, peer: new Peer(connection) };
};

/** Writes until the system is full; gives how many bytes were written. The peer must not read. */
const fill = (socket: Socket, isOurs: boolean): number => {
  for (let length = 0; ; length += PIECE_BYTES) {
    const bytes = pattern(1, length, PIECE_BYTES);
    const isTaken = socket.write(bytes, PIECE_BYTES, isOurs);
    // Lent memory is the lender’s again.
    if (!isOurs) bytes.fill(0);
    if (!isTaken && socket.unwritten > 4 * PIECE_BYTES) return length + PIECE_BYTES;
  }
};

/** A server of the proxy on an address, and what it accepts. */
const startServer = async (scope: Scope, sockets: Sockets, host: string) => {
  const server = net.createServer(SERVER_OPTIONS).listen(0, host);
  await once(server, 'listening');
  const accepted: PlainSocket[] = [];
  let told: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    told = resolve;
  });
  sockets.accept(server, (socket) => {
    accepted.push(socket);
    told();
  });
  scope.after(() => {
    server.close();
    for (const socket of accepted) socket.destroy();
  });
  const { port } = server.address() as net.AddressInfo;
  /** Connects to it; gives both ends. */
  const meet = async (ip: string) => {
    const far = net.connect({ host: ip, port, allowHalfOpen: true }).on('error', () => undefined);
    scope.after(() => {
      far.destroy();
    });
    await Promise.all([
      within('a connection', once(far, 'connect')),
      within('its near end', first),
    ]);
    const near = accepted[0];
    assert.ok(near);
    return { near, far };
  };
  return { server, port, meet };
};

for (const [host, shown] of [
  ['127.0.0.1', '127.0.0.1:'],
  ['::1', '[::1]:'],
] as const)
  onBoth(`a socket tells its peer on ${host}, accepted or dialed`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const { port, meet } = await startServer(scope, sockets, host);
    const { near, far } = await meet(host);
    assert.equal(near.peer(), `${shown}${far.localPort}`);
    const dialed = await new Promise<PlainSocket>((resolve) => {
      const socket = sockets.dial(makeAddress(host, port), () => resolve(socket));
    });
    assert.equal(dialed.peer(), `${shown}${port}`);
    dialed.destroy();
  });

onBoth('an IPv4 client of an IPv6 listener is shown as IPv4', async (t, { sockets }) => {
  const { meet } = await startServer(makeScope(t), sockets, '::');
  const { near, far } = await meet('127.0.0.1');
  assert.equal(near.peer(), `127.0.0.1:${far.localPort}`);
});

onBoth('a peer that reset before anybody looked has no address', async (t, { connectPlain }) => {
  const { near, far } = await opened(t, connectPlain('far'));
  far.resetAndDestroy();
  assert.equal(near.peer(), undefined);
});

for (const [kind, connect] of [
  ['plain', 'connectPlain'],
  ['TLS', 'connectTls'],
] as const) {
  for (const [memory, isOurs] of [
    ['memory of its own', true],
    ['lent memory that is overwritten at once', false],
  ] as const)
    onBoth(`${kind}: what is written late from ${memory} arrives as it was`, async (t, kit) => {
      const { near, peer } = await opened(t, kit[connect]('far'));
      const hearer = hear(near);
      const length = fill(near, isOurs);
      assert.ok(near.unwritten > 0 && near.queued <= near.unwritten);
      // TLS writes finish late even where the system takes them at once.
      assert.ok(kind === 'TLS' || near.queued > 0);
      peer.read();
      await hearer.until('all is written', () => near.unwritten === 0);
      assert.equal(near.queued, 0);
      await within('all', peer.gets(length));
      assert.equal(peer.received.equals(pattern(1, 0, length)), true);
      assert.deepEqual(hearer.told, []);
    });

  onBoth(`${kind}: who pauses at each piece is not read on for`, async (t, kit) => {
    const { near, far } = await opened(t, kit[connect]('far'));
    let told = 0;
    near.owner = {
      ...NOBODY,
      data: (_memory, length) => {
        told += length;
        near.pause();
      },
    };
    let isTaken = false;
    far.write(pattern(1, 0, 64 * 2 ** 20), () => {
      isTaken = true;
    });
    for (let reads = 1; reads < 20; reads++) {
      const before = told;
      near.read();
      while (told === before) await turn();
    }
    // Far more than all of it would take.
    for (let i = 0; i < 3000 && !isTaken; i++) await turn();
    assert.equal(isTaken, false);
  });

  onBoth(`${kind}: lent memory is not needed after a write, large or small`, async (t, kit) => {
    const { near, peer } = await opened(t, kit[connect]('far'));
    peer.read();
    let length = 0;
    for (const size of [1, 4096, 4097, PIECE_BYTES, 3]) {
      const memory = Buffer.concat([pattern(1, length, size), Buffer.from('not this')]);
      near.write(memory, size, false);
      memory.fill(0);
      length += size;
    }
    await within('all', peer.gets(length));
    await turn();
    assert.equal(peer.received.equals(pattern(1, 0, length)), true);
  });

  onBoth(`${kind}: an end comes after all that was written late, and is told`, async (t, kit) => {
    const { near, peer } = await opened(t, kit[connect]('near'));
    const hearer = hear(near);
    const length = fill(near, false);
    assert.equal(near.end(), false);
    assert.deepEqual(hearer.told, []);
    peer.read();
    assert.equal(await within('the end', peer.outcome), 'end');
    assert.equal(peer.length, length);
    await hearer.until('its finish', () => hearer.told.includes('finished'));
    assert.equal(near.unwritten, 0);
    // Its other direction goes on.
    peer.socket.write('still here');
    await hearer.gets(10);
    assert.deepEqual(hearer.told, ['finished', 'data']);
  });

  onBoth(`${kind}: an end is told once, however often it is read on`, async (t, kit) => {
    const { near, peer } = await opened(t, kit[connect]('far'));
    const hearer = hear(near);
    peer.socket.end('last');
    await hearer.end();
    near.pause();
    near.read();
    say(near, 'answer');
    await within('the answer', peer.read().gets(6));
    await turn();
    assert.deepEqual([hearer.text, hearer.told], ['last', ['data', 'ended']]);
  });

  onBoth(`${kind}: a peer’s reset is told once, with its code, and closes`, async (t, kit) => {
    const { near, peer, transport } = await opened(t, kit[connect]('far'));
    const hearer = hear(near);
    await peer.says('here');
    await hearer.gets(4);
    await turn();
    transport.resetAndDestroy();
    assert.equal(await hearer.failure(), 'ECONNRESET');
    await turn();
    assert.deepEqual(hearer.told, ['data', 'failed ECONNRESET']);
    assert.equal(near.isOpen, false);
    assert.equal(say(near, 'nobody'), true, 'nothing is held for nobody');
    assert.equal(near.unwritten, 0);
  });
}

onBoth(
  'an end with nothing in its way has gone at once, or is told',
  async (t, { connectPlain }) => {
    const { near, peer } = await opened(t, connectPlain('far'));
    const hearer = hear(near);
    say(near, 'all');
    if (!near.end()) await hearer.until('its finish', () => hearer.told.includes('finished'));
    peer.read();
    assert.equal(await within('the end', peer.outcome), 'end');
    assert.equal(peer.text, 'all');
  },
);

onBoth('a pause holds back what the peer says', async (t, { connectPlain }) => {
  const { near, peer } = await opened(t, connectPlain('far'));
  const hearer = hear(near);
  await peer.says('one');
  await hearer.gets(3);
  near.pause();
  await peer.says('two');
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(hearer.text, 'one');
  near.read();
  assert.equal(await hearer.gets(6), 'onetwo');
});

onBoth('a reset is one for the peer; after an end it only closes', async (t, { connectPlain }) => {
  const first = await opened(t, connectPlain('far'));
  first.near.reset();
  first.peer.read();
  assert.equal(await within('a reset', first.peer.outcome), 'ECONNRESET');
  const second = await opened(t, connectPlain('far'));
  second.near.end();
  second.near.reset();
  assert.equal(second.near.isOpen, false);
  second.peer.read();
  assert.equal(await within('an end', second.peer.outcome), 'end');
});

onBoth('a socket that is destroyed tells nothing more', async (t, { connectPlain }) => {
  for (const how of ['destroy', 'reset'] as const) {
    const { near, far, peer } = await opened(t, connectPlain('far'));
    const hearer = hear(near);
    fill(near, false);
    await peer.says('unheard');
    near[how]();
    assert.deepEqual([near.isOpen, near.unwritten], [false, 0]);
    const before = hearer.text;
    peer.read();
    await within('the end', peer.outcome);
    far.destroy();
    await turn();
    near.destroy();
    near.reset();
    near.read();
    await turn();
    assert.deepEqual([hearer.text, hearer.told.includes('ended')], [before, false]);
    assert.equal(
      hearer.told.some((word) => /finished|failed/.test(word)),
      false,
    );
  }
});

onBoth(
  'an owner that destroys its socket within a call hears nothing more',
  async (t, { connectPlain }) => {
    const { near, peer } = await opened(t, connectPlain('far'));
    const hearer = new Hearer();
    near.owner = {
      ...hearer,
      data: (...args) => {
        near.destroy();
        hearer.data(...args);
      },
      ended: () => hearer.ended(),
      failed: (code) => hearer.failed(code),
      written: () => undefined,
      finished: () => hearer.finished(),
    };
    near.read();
    peer.socket.end(Buffer.alloc(200_000, 'x'));
    await hearer.gets(1);
    const { length } = hearer;
    for (let i = 0; i < 5; i++) await turn();
    assert.deepEqual([hearer.length, hearer.told], [length, ['data']]);
  },
);

onBoth(
  'a reset right behind data is a failure behind the data, and no end',
  async (t, { connectPlain }) => {
    const { near, far, peer } = await opened(t, connectPlain('far'));
    await peer.says('last words');
    far.resetAndDestroy();
    const hearer = hear(near);
    assert.equal(await hearer.failure(), 'ECONNRESET');
    await turn();
    assert.deepEqual(
      hearer.told.filter((word) => word !== 'data'),
      ['failed ECONNRESET'],
    );
  },
);

onBoth('a reset that comes in one with data is told behind it', async (t, { connectPlain }) => {
  const { near, far, peer } = await opened(t, connectPlain('far'));
  const hearer = hear(near);
  // Written and reset within one turn: both are there when the proxy looks.
  peer.socket.write('last words');
  far.resetAndDestroy();
  assert.equal(await hearer.failure(), 'ECONNRESET');
  await turn();
  assert.deepEqual([hearer.text, hearer.told], ['last words', ['data', 'failed ECONNRESET']]);
});

onBoth(
  'a write behind a reset leaves what was said to be read, where it can be',
  async (t, { sockets, connectPlain }) => {
    const { near, far, peer } = await opened(t, connectPlain('far'));
    await peer.says('last words');
    far.resetAndDestroy();
    const hearer = new Hearer();
    near.owner = hearer;
    assert.equal(say(near, 'in vain'), true);
    assert.equal(near.unwritten, 0);
    if (sockets.kind === 'handle') assert.equal(near.isBroken, true);
    near.read();
    assert.match(await hearer.failure(), /^(?:ECONNRESET|EPIPE)$/);
    await turn();
    if (sockets.kind === 'handle') assert.equal(hearer.text, 'last words');
    assert.equal(hearer.told.includes('ended'), false);
    assert.equal(hearer.told.filter((word) => word.startsWith('failed')).length, 1);
  },
);

onBoth(
  'a late write that is reset is over: nothing stays unwritten, and it fails once',
  async (t, { connectPlain }) => {
    const { near, far } = await opened(t, connectPlain('far'));
    const hearer = hear(near);
    fill(near, false);
    far.resetAndDestroy();
    assert.match(await hearer.failure(), /^(?:ECONNRESET|EPIPE)$/);
    await turn();
    assert.equal(hearer.told.length, 1);
    assert.deepEqual([near.isOpen, near.unwritten], [false, 0]);
  },
);

/** The program that shows the options of sockets, if this machine has it. */
const findSs = (): string | undefined => {
  try {
    return findProgram('ss');
  } catch {
    return undefined;
  }
};

const SS = findSs();

onBoth('accepted and dialed sockets probe a silent peer', async (t, { sockets }) => {
  if (SS === undefined) return t.skip('there is no ss');
  const scope = makeScope(t);
  const { port, meet } = await startServer(scope, sockets, '127.0.0.1');
  const { far } = await meet('127.0.0.1');
  const dialed = await new Promise<PlainSocket>((resolve) => {
    const socket = sockets.dial(makeAddress('127.0.0.1', port), () => resolve(socket));
  });
  scope.after(() => dialed.destroy());
  // A dialed one is told a little later, when it has shown that it stays.
  socketClock.advance(10_000);
  const shown = await succeed([SS, '-Htno', `sport = :${port} or dport = :${port}`]);
  const lines = shown.split('\n');
  const accepted = lines.find(
    (line) =>
      line.includes(`:${port} `) &&
      line.includes(`:${far.localPort} `) &&
      line.indexOf(`:${port} `) < line.indexOf(`:${far.localPort} `),
  );
  assert.match(accepted ?? shown, /timer:\(keepalive,(?:5\d|60|1min)/);
  // The others are the dialed one, the end it was accepted as, and the test’s own, which does not probe.
  assert.equal(lines.filter((line) => line.includes('timer:(keepalive')).length, 3);
});

test('platforms whose handles are not known have none', () => {
  for (const platform of ['darwin', 'win32', 'freebsd'])
    assert.equal(findNative(platform), undefined);
});
