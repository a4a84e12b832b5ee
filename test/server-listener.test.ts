/** Listening sockets: bound first and used later, with one clear line where one cannot be had. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { test } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { firstValueFrom } from 'rxjs';
import { makeAddress } from '../src/address.ts';
import { listenError } from '../src/listen-error.ts';
import { bindListener, KEPT } from '../src/server/listener.ts';
import { eventually, within } from './support/eventually.ts';
import { makeScope } from './support/process.ts';
import { bound, dial, ended, LOOPBACK, makeHandEnv, open, portOf } from './support/serving.ts';
import { turn } from './support/sockets.ts';

const PLACE = 'routers[0].servers[0]';

const isRefused = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => resolve(false));
    socket.on('error', () => resolve(true));
    socket.on('connect', () => socket.destroy());
  });

test('a listener tells the address that it got, an IPv6 one in brackets', async (t) => {
  const scope = makeScope(t);
  const { env } = makeHandEnv();
  assert.match((await bound(scope, env)).srv, /^127\.0\.0\.1:[1-9]\d*$/);
  assert.match((await bound(scope, env, makeAddress('::1', 0))).srv, /^\[::1\]:[1-9]\d*$/);
});

test('an address that is in use gives one line that says what to do', async (t) => {
  const { env, lines } = makeHandEnv();
  const { srv } = await bound(makeScope(t), env);
  const taken = makeAddress('127.0.0.1', portOf(srv));
  const result = await firstValueFrom(bindListener(taken, PLACE, env));
  assert.ok(isLeft(result));
  assert.equal(
    result.left,
    `cannot listen on ${srv}: address already in use: another process listens there; stop it, or change ${PLACE}.port`,
  );
  assert.deepEqual(lines, []);
});

test('a port that needs a privilege, and an address of another machine, are told as such', async () => {
  const denied = Object.assign(new Error('bind EACCES'), { code: 'EACCES' });
  assert.equal(
    listenError(makeAddress('127.0.0.1', 80), denied, `${PLACE}.port`),
    'cannot listen on 127.0.0.1:80: permission denied: ports below 1024 need a privilege ' +
      `(CAP_NET_BIND_SERVICE); grant it, or change ${PLACE}.port`,
  );
  const elsewhere = makeAddress('192.0.2.1', 0);
  const result = await firstValueFrom(bindListener(elsewhere, PLACE, makeHandEnv().env));
  assert.ok(isLeft(result));
  assert.match(result.left, /^cannot listen on 192\.0\.2\.1:0: no such address on this machine/);
});

test('who loses interest before the address is bound leaves nothing that listens', async (t) => {
  const servers: net.Server[] = [];
  const { listen } = net.Server.prototype;
  t.mock.method(net.Server.prototype, 'listen', function (this: net.Server, ...args: never[]) {
    servers.push(this);
    return Reflect.apply(listen, this, args);
  });
  let wasTold = false;
  bindListener(LOOPBACK, PLACE, makeHandEnv().env)
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
});

test('what connects before anybody accepts is kept, in order, and then handed over', async (t) => {
  const scope = makeScope(t);
  const listener = await bound(scope, makeHandEnv().env);
  const ports: (number | undefined)[] = [];
  for (let i = 0; i < 5; i++) ports.push((await dial(scope, portOf(listener.srv))).localPort);
  const accepted: Socket[] = [];
  scope.after(() => {
    for (const socket of accepted) socket.destroy();
  });
  const take = (socket: Socket): void => {
    accepted.push(socket);
  };
  listener.accept(take);
  await eventually('all accepted', () => accepted.length === ports.length);
  assert.deepEqual(
    accepted.map(({ remotePort }) => remotePort),
    ports,
  );
  listener.accept(undefined);
  const late = await dial(scope, portOf(listener.srv));
  await turn();
  assert.equal(accepted.length, 5, 'nobody accepts now');
  listener.accept(take);
  await eventually('the late one', () => accepted.at(-1)?.remotePort === late.localPort);
  for (const socket of accepted) assert.deepEqual(socket.listenerCount('close'), 0);
});

test('clients that go away while they are kept are never handed over, and make room', async (t) => {
  const scope = makeScope(t);
  const listener = await bound(scope, makeHandEnv().env);
  const port = portOf(listener.srv);
  const leavers = await Promise.all(Array.from({ length: KEPT }, () => dial(scope, port)));
  const surplus = open(scope, port);
  assert.equal(await ended(surplus), 'ECONNRESET', 'no more than so many are kept');
  for (const socket of leavers) socket.resetAndDestroy();
  const stayer = await eventually('room for one', async () => {
    const socket = open(scope, port).resume();
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    await turn();
    await turn();
    return socket.destroyed ? undefined : socket;
  });
  const accepted: Socket[] = [];
  listener.accept((socket) => accepted.push(socket));
  await eventually('the one that stayed', () =>
    accepted.some(({ remotePort }) => remotePort === stayer.localPort),
  );
  for (const socket of accepted) {
    assert.equal(socket.destroyed, false);
    socket.destroy();
  }
});

test('a listener that closes resets what it kept, refuses new ones, and lets go of what it handed over', async (t) => {
  const scope = makeScope(t);
  const listener = await bound(scope, makeHandEnv().env);
  const port = portOf(listener.srv);
  const accepted: Socket[] = [];
  listener.accept((socket) => accepted.push(socket));
  const taken = await dial(scope, port);
  await eventually('it is taken', () => accepted.length === 1);
  listener.accept(undefined);
  const kept = await dial(scope, port);
  await turn();
  listener.close();
  listener.close();
  assert.equal(await ended(kept), 'ECONNRESET');
  assert.equal(await isRefused(port), true);
  const [near] = accepted;
  near?.end('still here');
  const [text] = await within('bytes', once(taken, 'data'));
  assert.equal(String(text), 'still here');
});

test('a socket that fails with nobody listening harms nobody', async (t) => {
  const scope = makeScope(t);
  const listener = await bound(scope, makeHandEnv().env);
  const accepted: Socket[] = [];
  listener.accept((socket) => accepted.push(socket));
  const client = await dial(scope, portOf(listener.srv));
  const near = await eventually('it is taken', () => accepted[0]);
  client.resetAndDestroy();
  await eventually('it failed', () => near.destroyed);
  assert.equal(near.errored?.message, 'read ECONNRESET');
});

test('accept errors are told once an episode, and never end the listener', async (t) => {
  const servers: net.Server[] = [];
  const { listen } = net.Server.prototype;
  t.mock.method(net.Server.prototype, 'listen', function (this: net.Server, ...args: never[]) {
    servers.push(this);
    return Reflect.apply(listen, this, args);
  });
  const scope = makeScope(t);
  const { env, lines, clock } = makeHandEnv();
  const { srv } = await bound(scope, env);
  const fail = (): unknown =>
    servers[0]?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
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
});
