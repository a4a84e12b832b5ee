/** TCP peers for tests: servers that behave well or badly, and a client that asks and checks the echo. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { eventually, within } from './eventually.ts';
import { type Scope, tether } from './process.ts';

/** Serves each connection until the test ends; gives the port. Errors of sockets are nobody's business here. */
export const startServer = async (
  scope: Scope,
  serve: (socket: Socket) => void,
): Promise<number> => {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  scope.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
};

/** Sends back what it reads, and ends when its client does. */
export const startEcho = (scope: Scope): Promise<number> =>
  startServer(scope, (socket) => {
    socket.pipe(socket);
  });

/** Says its name at once, then echoes. */
export const startNamed = (scope: Scope, name: string): Promise<number> =>
  startServer(scope, (socket) => {
    socket.write(name);
    socket.pipe(socket);
  });

/** A port that refuses connections: the near end of a connection has it until the test ends, so nobody else gets it to listen. */
export const startRefusing = async (scope: Scope): Promise<number> => {
  const port = await startServer(scope, (socket) => socket.resume());
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  scope.after(() => void socket.destroy());
  return socket.localPort ?? 0;
};

const STOPPED = `
const { connect, createServer } = require('node:net');
const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  process.stdout.write(String(server.address().port));
});`;

/**
 * A port on which connecting takes forever: its process is stopped and its backlog is full.
 * Works on Linux, where a full backlog drops what arrives.
 */
export const startDeaf = async (scope: Scope): Promise<number> => {
  const child = tether(
    spawn(process.execPath, ['-e', STOPPED], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const [text] = await once(child.stdout, 'data');
  const port = Number(text);
  child.kill('SIGSTOP');
  const exited = once(child, 'exit');
  const fillers: Socket[] = [];
  scope.after(async () => {
    for (const filler of fillers) filler.destroy();
    child.kill('SIGKILL');
    await exited;
  });
  // A backlog of 1 holds two.
  for (let held = 0; held < 2; held++) {
    const filler = connect(port, '127.0.0.1').on('error', () => undefined);
    fillers.push(filler);
    await once(filler, 'connect');
  }
  return port;
};

/** How a connection ended, and what came before. */
export interface Ending {
  readonly bytes: number;
  /** Such as `ECONNRESET`; absent after an orderly end. */
  readonly error?: string;
}

/** A client that counts what it reads. None of its promises waits for ever. */
export interface Peer {
  readonly socket: Socket;
  readonly ended: () => Promise<Ending>;
  /** Sends a text and waits for as many bytes; gives them. Errors: rejects when the connection ends first. */
  readonly echo: (text: string) => Promise<string>;
  /** Waits for at least so many bytes. */
  readonly read: (bytes: number) => Promise<string>;
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.message);

/** Connects; resolves when the connection is up. */
export const openPeer = async (port: number): Promise<Peer> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('latin1');
  let bytes = 0;
  let unread = '';
  let error: string | undefined;
  socket.on('data', (text: string) => {
    bytes += text.length;
    unread += text;
  });
  socket.on('error', (cause) => {
    error = codeOf(cause);
  });
  const gone = new Promise<Ending>((resolve) =>
    socket.on('close', () => resolve(error === undefined ? { bytes } : { bytes, error })),
  );
  const ended = (): Promise<Ending> => within('the end of a connection', gone);
  const grown = async (wanted: number): Promise<void> => {
    while (unread.length < wanted) {
      const seen = await Promise.race([gone, once(socket, 'data').catch(() => gone)]);
      if ('bytes' in seen) throw new Error(`ended after ${bytes} bytes: ${error ?? 'in order'}`);
    }
  };
  const read = async (wanted: number): Promise<string> => {
    if (unread.length < wanted) await within(`${wanted} bytes`, grown(wanted));
    const text = unread.slice(0, wanted);
    unread = unread.slice(wanted);
    return text;
  };
  const echo = (text: string): Promise<string> => {
    socket.write(text, 'latin1');
    return read(text.length);
  };
  const peer = { socket, ended, echo, read };
  await Promise.race([once(socket, 'connect').catch(() => gone), ended()]);
  return peer;
};

/** Opens many at once. */
export const openPeers = (port: number, count: number): Promise<readonly Peer[]> =>
  Promise.all(Array.from({ length: count }, () => openPeer(port)));

/** Destroys them and waits until they have gone. */
export const dropPeers = async (peers: readonly Peer[]): Promise<void> => {
  for (const { socket } of peers) socket.destroy();
  await Promise.all(peers.map(({ ended }) => ended()));
};

/** Waits until nobody listens on a port any more; what still gets in is dropped. */
export const refused = (port: number): Promise<unknown> =>
  eventually(`port ${port} refuses connections`, async () => {
    const peer = await openPeer(port);
    if (!peer.socket.destroyed) await dropPeers([peer]);
    return (await peer.ended()).error === 'ECONNREFUSED';
  });
