/** Half-close and servers that speak first, alone and with haproxy in front of the daemon. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { within } from '../support/eventually.ts';
import {
  findProgram,
  freePort,
  makeScope,
  startService,
  temporaryFolder,
} from '../support/process.ts';
import { route } from '../support/route.ts';
import { startNginx } from '../support/servers.ts';

const FILE = randomBytes(4 * 2 ** 20);
const [WEB, GREETER, MIRROR] = [0, 1, 2];
const GREETING = '220 ready\r\n';
const scope = makeScope({ after });
let daemon: Daemon;

const listen = async (serve: (socket: Socket) => void): Promise<number> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
};

/** A server that greets before it has read anything, then says goodbye to who ends. */
const startGreeter = (): Promise<number> =>
  listen((socket) => {
    socket.write(GREETING);
    let read = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      read += text;
    });
    socket.on('end', () => socket.end(`221 read ${read.length}\r\n`));
  });

/** A server that answers only when its client has ended: with all that it read. nginx will not do for that, it drops clients that end. */
const startMirror = (): Promise<number> =>
  listen((socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end(Buffer.concat(chunks)));
  });

const startHaproxy = async (backend: number): Promise<number> => {
  const folder = await temporaryFolder(scope);
  const port = await freePort();
  const config = join(folder, 'haproxy.cfg');
  await writeFile(
    config,
    `defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port}
  default_backend back
backend back
  server daemon 127.0.0.1:${backend}
`,
  );
  await startService(scope, [findProgram('haproxy'), '-db', '-f', config], { port });
  return port;
};

before(async () => {
  const folder = await temporaryFolder(scope);
  await writeFile(join(folder, 'file'), FILE);
  const nginx = await startNginx(scope, folder);
  daemon = await startDaemon(scope, {
    routers: [
      route('web', [nginx.port]),
      route('greeter', [await startGreeter()]),
      route('mirror', [await startMirror()]),
    ],
  });
});

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Sends bytes, ends its direction at once, and reads all that comes until the other side ends too. */
const sendAndEnd = async (port: number, bytes: Buffer): Promise<Buffer> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(bytes);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await within('the end of the answer', once(socket, 'end'));
  return Buffer.concat(chunks);
};

test('a client that ends its direction still gets the whole answer', async () => {
  for (let i = 0; i < 5; i++)
    assert.equal(digest(await sendAndEnd(daemon.ports[MIRROR] ?? 0, FILE)), digest(FILE));
});

test('so it does with haproxy in front', async () => {
  const front = await startHaproxy(daemon.ports[MIRROR] ?? 0);
  for (let i = 0; i < 5; i++) assert.equal(digest(await sendAndEnd(front, FILE)), digest(FILE));
});

test('haproxy fetches from nginx through the daemon', async () => {
  const front = await startHaproxy(daemon.ports[WEB] ?? 0);
  for (let i = 0; i < 5; i++) {
    const answer = await fetch(`http://127.0.0.1:${front}/file`);
    assert.equal(digest(Buffer.from(await answer.arrayBuffer())), digest(FILE));
  }
});

test('a server that speaks first is heard by a silent client, and hears its end', async () => {
  const socket = connect({
    port: daemon.ports[GREETER] ?? 0,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  socket.setEncoding('utf8');
  const [greeting] = await within('the greeting', once(socket, 'data'));
  assert.equal(greeting, GREETING);
  socket.end('QUIT\r\n');
  assert.deepEqual(await within('the goodbye', once(socket, 'data')), ['221 read 6\r\n']);
  await within('the end', once(socket, 'end'));
});
