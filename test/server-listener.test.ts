/** Listening sockets: bound first and used later, with one clear line where one cannot be had. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { constants } from 'node:os';
import { isLeft } from 'fp-ts/lib/Either.js';
import { firstValueFrom } from 'rxjs';
import { makeAddress } from '../src/address.ts';
import { listenError } from '../src/listen-error.ts';
import { bindListener, KEPT } from '../src/server/listener.ts';
import { listeningHandle } from '../src/socket/native.ts';
import { NOBODY, type PlainSocket } from '../src/socket/socket.ts';
import { eventually, within } from './support/eventually.ts';
import { hear, say, whenReleased } from './support/hearer.ts';
import { makeScope } from './support/process.ts';
import { bound, dial, ended, LOOPBACK, makeHandEnv, open, portOf } from './support/serving.ts';
import { onBoth, turn } from './support/sockets.ts';

const PLACE = 'routers[0].servers[0]';

const isRefused = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => resolve(false));
    socket.on('error', () => resolve(true));
    socket.on('connect', () => socket.destroy());
  });

onBoth(
  'a listener tells the address that it got, an IPv6 one in brackets',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const { env } = makeHandEnv();
    assert.match((await bound(scope, env, { sockets })).srv, /^127\.0\.0\.1:[1-9]\d*$/);
    assert.match(
      (await bound(scope, env, { address: makeAddress('::1', 0), sockets })).srv,
      /^\[::1\]:[1-9]\d*$/,
    );
  },
);

onBoth('an address that is in use gives one line that says what to do', async (t, { sockets }) => {
  const { env, lines } = makeHandEnv();
  const { srv } = await bound(makeScope(t), env, { sockets });
  const taken = makeAddress('127.0.0.1', portOf(srv));
  const result = await firstValueFrom(bindListener(taken, PLACE, { sockets, env }));
  assert.ok(isLeft(result));
  assert.equal(
    result.left,
    `cannot listen on ${srv}: address already in use: another process listens there; stop it, or change ${PLACE}.port`,
  );
  assert.deepEqual(lines, []);
});

onBoth(
  'a port that needs a privilege, and an address of another machine, are told as such',
  async (_, { sockets }) => {
    const { env } = makeHandEnv();
    const denied = Object.assign(new Error('bind EACCES'), { code: 'EACCES' });
    assert.equal(
      listenError(makeAddress('127.0.0.1', 80), denied, `${PLACE}.port`),
      'cannot listen on 127.0.0.1:80: permission denied: ports below 1024 need a privilege ' +
        `(CAP_NET_BIND_SERVICE); grant it, or change ${PLACE}.port`,
    );
    const elsewhere = makeAddress('192.0.2.1', 0);
    const result = await firstValueFrom(bindListener(elsewhere, PLACE, { sockets, env }));
    assert.ok(isLeft(result));
    assert.match(result.left, /^cannot listen on 192\.0\.2\.1:0: no such address on this machine/);
  },
);

onBoth(
  'who loses interest before the address is bound leaves nothing that listens',
  async (t, { sockets }) => {
    const servers: net.Server[] = [];
    const { listen } = net.Server.prototype;
    t.mock.method(net.Server.prototype, 'listen', function (this: net.Server, ...args: never[]) {
      servers.push(this);
      return Reflect.apply(listen, this, args);
    });
    const { env } = makeHandEnv();
    let wasTold = false;
    bindListener(LOOPBACK, PLACE, { sockets, env })
      .subscribe(() => {
        wasTold = true;
      })
      .unsubscribe();
    const [server] = servers;
    assert.ok(server);
    t.after(() => {
      server.close();
    });
    // Another one that begins later is bound later.
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    other.close();
    await turn();
    assert.equal(server.listening, false);
    assert.equal(wasTold, false);
  },
);

onBoth(
  'what connects before anybody accepts is kept, in order, and then handed over',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const listener = await bound(scope, makeHandEnv().env, { sockets });
    const clients: string[] = [];
    const dialOne = async (): Promise<string> =>
      `127.0.0.1:${(await dial(scope, portOf(listener.srv))).localPort}`;
    for (let i = 0; i < 5; i++) clients.push(await dialOne());
    const accepted: PlainSocket[] = [];
    scope.after(() => {
      for (const socket of accepted) socket.destroy();
    });
    const take = (socket: PlainSocket): void => {
      accepted.push(socket);
    };
    const peers = (): readonly (string | undefined)[] => accepted.map((socket) => socket.peer());
    listener.accept(take);
    await eventually('all accepted', () => accepted.length === clients.length);
    assert.deepEqual(peers(), clients);
    listener.accept(undefined);
    const late = await dialOne();
    await turn();
    assert.equal(accepted.length, 5, 'nobody accepts now');
    listener.accept(take);
    await eventually('the late one', () => accepted.length === 6);
    assert.deepEqual(peers(), [...clients, late]);
    for (const { owner } of accepted) assert.equal(owner, NOBODY);
  },
);

onBoth(
  'no more than so many are kept, the rest is reset; who resets meanwhile fails when it is handed over',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const listener = await bound(scope, makeHandEnv().env, { sockets });
    const port = portOf(listener.srv);
    const kept = await Promise.all(Array.from({ length: KEPT }, () => dial(scope, port)));
    assert.equal(await ended(open(scope, port)), 'ECONNRESET');
    const [leaver, ...stayers] = kept;
    leaver?.resetAndDestroy();
    const accepted: PlainSocket[] = [];
    scope.after(() => {
      for (const socket of accepted) socket.destroy();
    });
    listener.accept((socket) => accepted.push(socket));
    assert.equal(accepted.length, KEPT, 'all at once');
    const gone = accepted.filter((socket) => socket.peer() === undefined);
    assert.equal(gone.length, 1);
    for (const socket of gone) assert.equal(await hear(socket).failure(), 'ECONNRESET');
    // A backlog that was full gives its connections in another order.
    assert.deepEqual(
      new Set(accepted.filter(({ isOpen }) => isOpen).map((socket) => socket.peer())),
      new Set(stayers.map(({ localPort }) => `127.0.0.1:${localPort}`)),
    );
    await dial(scope, port);
    await eventually('the next', () => accepted.length === KEPT + 1);
  },
);

onBoth(
  'a listener that closes resets what it kept, refuses new ones, and lets go of what it handed over',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const listener = await bound(scope, makeHandEnv().env, { sockets });
    const port = portOf(listener.srv);
    const accepted: PlainSocket[] = [];
    scope.after(() => {
      for (const socket of accepted) socket.destroy();
    });
    listener.accept((socket) => accepted.push(socket));
    const taken = await dial(scope, port);
    const near = await eventually('it is taken', () => accepted[0]);
    listener.accept(undefined);
    const kept = await dial(scope, port);
    await turn();
    listener.close();
    listener.close();
    assert.equal(await ended(kept), 'ECONNRESET');
    assert.equal(await isRefused(port), true);
    say(near, 'still here');
    const [text] = await within('bytes', once(taken, 'data'));
    assert.equal(String(text), 'still here');
  },
);

onBoth('a socket that fails with nobody listening harms nobody', async (t, { sockets }) => {
  const scope = makeScope(t);
  const listener = await bound(scope, makeHandEnv().env, { sockets });
  const accepted: PlainSocket[] = [];
  listener.accept((socket) => accepted.push(socket));
  const client = await dial(scope, portOf(listener.srv));
  const near = await eventually('it is taken', () => accepted[0]);
  const released = whenReleased(near);
  near.read();
  client.resetAndDestroy();
  await released.once();
  assert.equal(near.isOpen, false);
  assert.equal(released.count(), 1);
});

onBoth(
  'accept errors are told once an episode, and never end the listener',
  async (t, { sockets }) => {
    const servers: net.Server[] = [];
    const { listen } = net.Server.prototype;
    t.mock.method(net.Server.prototype, 'listen', function (this: net.Server, ...args: never[]) {
      servers.push(this);
      return Reflect.apply(listen, this, args);
    });
    const scope = makeScope(t);
    const { env, lines, clock } = makeHandEnv();
    const { srv } = await bound(scope, env, { sockets });
    const [server] = servers;
    assert.ok(server);
    const handle = listeningHandle(server);
    assert.ok(handle);
    // As the platform tells it.
    const fail = (): unknown => handle.onconnection?.(-constants.errno.EMFILE, undefined);
    for (let i = 0; i < 100; i++) fail();
    const line = {
      level: 'error',
      message: 'cannot accept connections',
      fields: { srv, error: 'EMFILE' },
    };
    assert.deepEqual(lines, [line]);
    clock.advance(60_000);
    fail();
    assert.deepEqual(lines, [line, line]);
    assert.equal(await isRefused(portOf(srv)), false);
  },
);
