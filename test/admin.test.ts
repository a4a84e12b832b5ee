/** The admin server over real HTTP: what it answers, whom it refuses, and what it survives. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { asyncScheduler, firstValueFrom } from 'rxjs';
import { makeAddress } from '../src/address.ts';
import { ENDPOINTS, endpointsMarkdown } from '../src/admin/endpoints.ts';
import { forbidden } from '../src/admin/guard.ts';
import { type AdminHandlers, type AdminServer, bindAdmin } from '../src/admin/server.ts';
import { virtualEnv } from '../src/testing/virtual-env.ts';
import type { RouterView } from '../src/view.ts';
import { eventually, within } from './support/eventually.ts';

const ROUTERS: readonly RouterView[] = ['a', 'b'].map((label) => ({
  label,
  servers: [{ address: '127.0.0.1:1', dstName: '/svc/web', active: 1, waiting: 0 }],
  names: [],
  connections: [],
}));

interface Admin {
  readonly server: AdminServer;
  readonly port: number;
  readonly logged: readonly string[];
  /** What was asked of the daemon. */
  readonly asked: readonly string[];
}

const bind = async (
  { ip = '127.0.0.1', port = 0 },
  handlers: Partial<AdminHandlers> = {},
): Promise<{ readonly bound: Either<string, AdminServer>; asked: string[]; logged: string[] }> => {
  const asked: string[] = [];
  const logged: string[] = [];
  const all: AdminHandlers = {
    metrics: async () => 'm 1\n',
    config: () => ({ routers: [] }),
    routers: () => ROUTERS,
    delegate: async (router, path) =>
      router === 'a' ? right({ type: 'neg', path }) : left('expected a router, got none'),
    explain: async (query) =>
      query.get('server') === '1' ? right({ router: 'a' }) : left('expected the port of a server'),
    recording: () => left('nothing is recorded'),
    reload: async () => {
      asked.push('reload');
      return right(undefined);
    },
    shutdown: () => asked.push('shutdown'),
    abort: () => asked.push('abort'),
    hosts: () => ['admin.example'],
    turn,
    ...handlers,
  };
  const env = virtualEnv(asyncScheduler, {}, logged);
  const bound = await firstValueFrom(bindAdmin(makeAddress(ip, port), all, env));
  return { bound, asked, logged };
};

/** Starts an admin server that is closed with the test. */
const start = async (
  scope: TestContext,
  handlers: Partial<AdminHandlers> = {},
  ip = '127.0.0.1',
): Promise<Admin> => {
  const { bound, asked, logged } = await bind({ ip }, handlers);
  if (isLeft(bound)) throw new Error(bound.left);
  const server = bound.right;
  scope.after(() => server.close());
  return { server, port: Number(server.address.split(':').at(-1)), asked, logged };
};

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const ask = (port: number, path: string, { method = 'GET', headers = {}, body }: Asked = {}) =>
  within(
    `${method} ${path}`,
    new Promise<Answered>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method, headers, agent: false as const };
      const outgoing = request(options, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (part: string) => {
          text += part;
        });
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    }),
  );

/** A promise and what fulfils it. */
const gate = () => {
  let fulfil: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    fulfil = resolve;
  });
  return { opened, open: () => fulfil() };
};

const closedOf = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => socket.once('close', resolve));

/** A bare connection, gone with the test. */
const dial = async (scope: TestContext, port: number): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  scope.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
};

/** Sends bytes as they are and gives all that comes back until the connection is closed. */
const exchange = async (scope: TestContext, port: number, bytes: string | Buffer) => {
  const socket = await dial(scope, port);
  let text = '';
  socket.on('data', (part: Buffer) => {
    text += part.toString('latin1');
  });
  const closed = closedOf(socket);
  socket.write(bytes);
  await within('the end of a connection', closed);
  return text;
};

test('every reading endpoint answers GET, and HEAD without a body', async (scope) => {
  const { port } = await start(scope);
  const types: Readonly<Record<string, string>> = {
    '/': 'text/plain; charset=utf-8',
    '/ping': 'text/plain; charset=utf-8',
    '/metrics': 'text/plain; version=0.0.4; charset=utf-8',
    '/config.json': 'application/json; charset=utf-8',
    '/routers.json': 'application/json; charset=utf-8',
    '/delegator.json': 'application/json; charset=utf-8',
    '/explain': 'application/json; charset=utf-8',
  };
  const query = '?router=a&path=/svc/web&server=1';
  const readable = ENDPOINTS.filter(({ method }) => method === 'GET').map(({ path }) => path);
  assert.deepEqual([...readable], Object.keys(types));
  for (const path of readable) {
    const got = await ask(port, path + query);
    assert.equal(got.status, 200, path);
    assert.equal(got.headers['content-type'], types[path]);
    assert.notEqual(got.body, '');
    const head = await ask(port, path + query, { method: 'HEAD' });
    assert.deepEqual([head.status, head.body], [200, ''], path);
    assert.equal(head.headers['content-length'], got.headers['content-length']);
  }
});

test('the answers are what the daemon says', async (scope) => {
  const { port } = await start(scope);
  assert.equal((await ask(port, '/ping')).body, 'pong\n');
  assert.equal((await ask(port, '/ping?x=1')).body, 'pong\n');
  assert.equal((await ask(port, '/metrics')).body, 'm 1\n');
  assert.deepEqual(JSON.parse((await ask(port, '/config.json')).body), { routers: [] });
  assert.deepEqual(JSON.parse((await ask(port, '/routers.json')).body), ROUTERS);
  const { body } = await ask(port, '/delegator.json?router=a&path=/svc/web');
  assert.deepEqual(JSON.parse(body), { type: 'neg', path: '/svc/web' });
  const wrong = await ask(port, '/delegator.json');
  assert.deepEqual([wrong.status, wrong.body], [400, 'expected a router, got none\n']);
  const list = (await ask(port, '/')).body;
  for (const { method, path } of ENDPOINTS) assert.ok(list.includes(`${method} ${path} `), path);
});

test('no routers are an empty list', async (scope) => {
  const { port } = await start(scope, { routers: () => [] });
  assert.deepEqual(JSON.parse((await ask(port, '/routers.json')).body), []);
});

test('the loop turns between two routers', async (scope) => {
  let turns = 0;
  const { port } = await start(scope, {
    turn: async () => {
      turns += 1;
    },
  });
  await ask(port, '/routers.json');
  assert.equal(turns, ROUTERS.length);
});

test('POST asks the daemon, once the answer is out', async (scope) => {
  const { port, asked } = await start(scope);
  assert.deepEqual([(await ask(port, '/reload', { method: 'POST' })).body], ['reloaded\n']);
  assert.deepEqual(asked, ['reload']);
  for (const action of ['shutdown', 'abort']) {
    assert.equal((await ask(port, `/${action}`, { method: 'POST', body: 'x' })).status, 200);
    await eventually(action, () => asked.at(-1) === action);
  }
  assert.deepEqual(asked, ['reload', 'shutdown', 'abort']);
});

test('a reload that fails tells every error', async (scope) => {
  const { port } = await start(scope, { reload: async () => left(['a:1:1 x', 'a:2:1 y']) });
  const { status, body } = await ask(port, '/reload', { method: 'POST' });
  assert.deepEqual([status, body], [400, 'a:1:1 x\na:2:1 y\n']);
});

test('a wrong method gets 405 and is told the right one', async (scope) => {
  const { port, asked } = await start(scope);
  for (const { method, path } of ENDPOINTS) {
    const wrong = method === 'GET' ? 'POST' : 'GET';
    const { status, headers } = await ask(port, path, { method: wrong });
    assert.deepEqual([status, headers.allow], [405, method === 'GET' ? 'GET, HEAD' : 'POST'], path);
  }
  assert.equal((await ask(port, '/shutdown', { method: 'HEAD' })).status, 405);
  assert.deepEqual(asked, []);
});

test('an unknown path gets 404 with a way out', async (scope) => {
  const { port } = await start(scope);
  for (const path of ['/nothing', '/ping/', '/__proto__', '/constructor', '//ping']) {
    const { status, body } = await ask(port, path);
    assert.equal(status, 404, path);
    assert.match(body, /GET \//);
  }
});

test('a request from a web page changes nothing', async (scope) => {
  const { port, asked } = await start(scope);
  for (const origin of ['http://evil.example', 'http://127.0.0.1', 'null']) {
    for (const path of ['/shutdown', '/abort', '/reload']) {
      const { status, body } = await ask(port, path, { method: 'POST', headers: { origin } });
      assert.equal(status, 403, path);
      assert.match(body, /^.*Origin.*\n$/);
    }
  }
  assert.deepEqual(asked, []);
  assert.equal((await ask(port, '/ping', { headers: { origin: 'http://x' } })).status, 200);
});

test('a Host that is no IP, localhost or in admin.hosts gets 403 and is told what to do', async (scope) => {
  const { port, asked } = await start(scope);
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80']) {
    for (const [method, path] of [['GET', '/metrics'] as const, ['POST', '/abort'] as const]) {
      const { status, body } = await ask(port, path, { method, headers: { host } });
      assert.equal(status, 403, host);
      assert.match(body, /^.*evil\.example.*admin\.hosts.*\n$/);
    }
  }
  assert.deepEqual(asked, []);
  for (const host of [
    'localhost',
    'LocalHost:9989',
    '10.1.2.3:1',
    '[::1]:9989',
    'Admin.Example:80',
  ])
    assert.equal((await ask(port, '/ping', { headers: { host } })).status, 200, host);
});

test('an empty Host is refused, and so is an address that only looks like one', () => {
  const asking = (host: string) => forbidden({ method: 'GET', host, origin: undefined }, []);
  for (const host of ['', ':80', '999.1.1.1', '[evil]', '[::1', '127.0.0.1@evil'])
    assert.notEqual(asking(host), undefined, host);
});

test('a request without a Host gets 400', async (scope) => {
  const { port } = await start(scope);
  const answer = await exchange(scope, port, 'GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 400 /);
});

const RUBBISH: Readonly<Record<string, string | Buffer>> = {
  'no HTTP': 'hello\r\n\r\n',
  'a TLS hello': Buffer.from('16030100050100000100', 'hex'),
  'zero bytes': Buffer.alloc(1000),
  'headers without end': `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
  'a broken chunk':
    'POST /ping HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  'two lengths': 'POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  'a CONNECT': 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'a bad expectation':
    'GET /x HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nConnection: close\r\n\r\n',
};

for (const [what, bytes] of Object.entries(RUBBISH)) {
  test(`${what} ends its connection and nothing else`, async (scope) => {
    const { port, asked, logged } = await start(scope);
    const answer = await exchange(scope, port, bytes);
    assert.match(answer, /^(?:HTTP\/1\.1 4|$)/);
    assert.equal((await ask(port, '/ping')).body, 'pong\n');
    assert.deepEqual(asked, []);
    assert.deepEqual(
      logged.filter((line) => line.startsWith('error')),
      [],
    );
  });
}

test('a body is ignored, and one that does not end is cut', async (scope) => {
  const { port } = await start(scope);
  const small = await ask(port, '/reload', { method: 'POST', body: 'x'.repeat(10_000) });
  assert.equal(small.status, 200);
  const socket = await dial(scope, port);
  const closed = closedOf(socket);
  socket.resume();
  socket.write('POST /reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  let chunks = 0;
  const feed = (): void => {
    do chunks += 1;
    while (chunks < 4096 && socket.write(chunk));
  };
  socket.on('drain', feed);
  feed();
  await within('the cut', closed);
  assert.ok(chunks < 4096, 'it could send 64 MiB');
});

test('a reader that stalls is not written to without bound', async (scope) => {
  const most = 64;
  let made = 0;
  const { port } = await start(scope, {
    *routers() {
      for (; made < most; made += 1)
        yield { label: 'x'.repeat(1_000_000), servers: [], names: [], connections: [] };
    },
  });
  const socket = await dial(scope, port);
  socket.pause();
  socket.write('GET /routers.json HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await eventually('the first router', () => made > 0);
  for (let i = 0; i < 2 * most; i += 1) await ask(port, '/ping');
  assert.ok(made < most, `${made} routers for a reader of none`);
});

test('a client that goes away in the middle of an answer does no harm', async (scope) => {
  const waiting = gate();
  const goOn = gate();
  const { port, logged } = await start(scope, {
    metrics: async () => {
      waiting.open();
      await goOn.opened;
      return 'x'.repeat(1_000_000);
    },
  });
  const socket = await dial(scope, port);
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await within('the request', waiting.opened);
  socket.resetAndDestroy();
  await closedOf(socket);
  goOn.open();
  assert.equal((await ask(port, '/ping')).status, 200);
  assert.equal(logged.filter((line) => line.startsWith('error')).length, 0);
});

test('an answer that breaks ends its connection and is told', async (scope) => {
  const { port, logged } = await start(scope, {
    metrics: () => Promise.reject(new Error('no numbers')),
  });
  await assert.rejects(ask(port, '/metrics'), /socket hang up|ECONNRESET/);
  assert.equal(logged.filter((line) => /^error .*no numbers/.test(line)).length, 1);
  assert.equal((await ask(port, '/ping')).status, 200);
});

test('closing ends idle connections, lets answers in progress finish and frees the port', async (scope) => {
  const waiting = gate();
  const goOn = gate();
  const { server, port } = await start(scope, {
    metrics: async () => {
      waiting.open();
      await goOn.opened;
      return 'done\n';
    },
  });
  const idle = await dial(scope, port);
  const idleClosed = closedOf(idle);
  idle.write('GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(idle, 'data');
  const slow = ask(port, '/metrics');
  await within('the request', waiting.opened);
  server.close();
  idle.resume();
  await within('the end of the idle connection', idleClosed);
  goOn.open();
  assert.equal((await slow).body, 'done\n');
  await assert.rejects(ask(port, '/ping'), /ECONNREFUSED/);
});

test('an address in use is told in one line that says what to do', async (scope) => {
  const taken = createServer();
  scope.after(() => taken.close());
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const at = taken.address();
  const port = typeof at === 'object' && at !== null ? at.port : 0;
  const { bound } = await bind({ port });
  assert.deepEqual(
    bound,
    left(
      `cannot listen on 127.0.0.1:${port}: address already in use: another process listens there; stop it, or change admin.port`,
    ),
  );
});

test('only a bind wider than loopback warns, once', async (scope) => {
  const warnings = ({ logged }: Admin): number =>
    logged.filter((line) => line.startsWith('warn')).length;
  assert.equal(warnings(await start(scope)), 0);
  assert.equal(warnings(await start(scope, {}, '0.0.0.0')), 1);
});

test('the Markdown table has a row of two cells for each endpoint', () => {
  const rows = endpointsMarkdown().split('\n');
  assert.equal(rows.length, ENDPOINTS.length + 2);
  for (const row of rows) assert.equal(row.split('|').length, 4, row);
});
