/** Both far ends of a stream, on real loopback sockets: peers that tell what they got, and how it ended. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { makeAddress } from '../../src/address.ts';
import { BufferBudget } from '../../src/duplex/budget.ts';
import { openDuplex } from '../../src/duplex/duplex.ts';
import type { Stream, StreamLimits, Summary } from '../../src/duplex/stream.ts';
import { findNative } from '../../src/socket/native.ts';
import { type Begun, fresh, ReadAhead } from '../../src/socket/read-ahead.ts';
import type { SecureSocket, Terms } from '../../src/socket/secure.ts';
import type { PlainSocket, Socket } from '../../src/socket/socket.ts';
import {
  makeHandleSockets,
  makeStreamSockets,
  SERVER_OPTIONS,
  type Sockets,
} from '../../src/socket/sockets.ts';
import { makeTimers, type Timers } from '../../src/timers.ts';
import { type HandClock, makeHandClock } from './hand-clock.ts';

const HOST = '127.0.0.1';
const OPTIONS = { allowHalfOpen: true, noDelay: true, keepAlive: true } as const;

/** No limit but the shipped sizes. */
export const NO_LIMITS: StreamLimits = {
  idleTimeoutMs: Number.POSITIVE_INFINITY,
  lifetimeMs: Number.POSITIVE_INFINITY,
  halfCloseTimeoutMs: Number.POSITIVE_INFINITY,
  resetLingerMs: 100,
  bufferSizeBytes: 1_048_576,
  place: 'routers[0].servers[0]',
};

const native = findNative();
assert.ok(native, 'this platform shows no handles');

/** Time for what sockets put off; it stands until a test moves it. */
export const socketClock = makeHandClock();

/** What is kept for all of them; less is kept when one closes. */
export const socketAccount = { held: 0 };

const SETUP = {
  timers: makeTimers(socketClock.scheduler),
  soon: setImmediate,
  account: socketAccount,
};

/** Both ways in which the proxy holds connections; one of each for all tests, as in a process. */
export const KINDS: readonly Sockets[] = [
  makeHandleSockets(native, SETUP),
  makeStreamSockets(SETUP),
];
/** Those on handles, the kind that is used where both would do. */
export const [HANDLES = makeStreamSockets(SETUP), STREAMS = HANDLES] = KINDS;

/** A connection’s two sockets; both must be closed by the test. */
export interface Connection {
  /** The one that belongs to the proxy. */
  readonly near: Socket;
  readonly far: net.Socket;
  /** The TCP socket of the far end. */
  readonly transport: net.Socket;
}

/** A TCP connection: the proxy’s end as a plain socket. */
interface PlainConnection extends Connection {
  readonly near: PlainSocket;
}

const listen = async (server: net.Server): Promise<number> => {
  server.listen(0, HOST);
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
};

const acceptNear = async (sockets: Sockets): Promise<PlainConnection> => {
  const server = net.createServer(SERVER_OPTIONS);
  const port = await listen(server);
  const accepted = new Promise<PlainSocket>((resolve) => sockets.accept(server, resolve));
  const far = net.connect({ host: HOST, port, ...OPTIONS });
  const [near] = await Promise.all([accepted, once(far, 'connect')]);
  server.close();
  return { near, far, transport: far };
};

const dialNear = async (sockets: Sockets): Promise<PlainConnection> => {
  const server = net.createServer(OPTIONS);
  const port = await listen(server);
  const accepted = once(server, 'connection');
  const near = await new Promise<PlainSocket>((resolve, reject) => {
    const socket = sockets.dial(makeAddress(HOST, port), (code) =>
      code === undefined ? resolve(socket) : reject(new Error(code)),
    );
  });
  const [far] = (await accepted) as [net.Socket];
  server.close();
  return { near, far, transport: far };
};

/** Opens a TCP connection. `dialedBy`: whether the far end or the proxy opens it. */
export const connectPlain = (
  dialedBy: 'far' | 'near',
  sockets: Sockets = HANDLES,
): Promise<PlainConnection> => (dialedBy === 'far' ? acceptNear(sockets) : dialNear(sockets));

const CERTIFICATE = generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });

/** Plain terms with a certificate for localhost; a client believes everybody. */
export const makeTerms = async (side: Terms['side']): Promise<Terms> => {
  const { private: key, cert } = await CERTIFICATE;
  const contextOptions = { key, cert };
  const context = tls.createSecureContext(contextOptions);
  if (side === 'client') return { side, context };
  return { side, context, contextOptions, clientAuth: 'none' };
};

/** TLS on the proxy’s end of a connection. */
export const secureNear = (near: PlainSocket, terms: Terms): Promise<SecureSocket> =>
  new Promise((resolve, reject) => {
    near.secure(terms, {
      said: [],
      done: (how) => (how.t === 'secured' ? resolve(how.socket) : reject(new Error(how.code))),
    });
  });

/** Opens a TLS connection; the one who dials is the TLS client. */
export const connectTls = async (
  dialedBy: 'far' | 'near',
  sockets: Sockets = HANDLES,
): Promise<Connection> => {
  const { private: key, cert } = await CERTIFICATE;
  const plain = await connectPlain(dialedBy, sockets);
  const isServer = dialedBy === 'near';
  const far = isServer
    ? new tls.TLSSocket(plain.far, { isServer, key, cert })
    : tls.connect({ socket: plain.far, rejectUnauthorized: false });
  const terms = await makeTerms(isServer ? 'client' : 'server');
  const [near] = await Promise.all([
    secureNear(plain.near, terms),
    once(far, isServer ? 'secure' : 'secureConnect'),
  ]);
  return { near, far, transport: plain.transport };
};

/** One far end: it keeps what it got. */
export class Peer {
  readonly socket: net.Socket;
  /** `end`, the code of an error, or `close` if it was destroyed here. */
  readonly outcome: Promise<string>;
  readonly #transport: net.Socket;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor({ far: socket, transport }: Connection) {
    this.socket = socket;
    this.#transport = transport;
    this.outcome = new Promise((resolve) => {
      socket.on('end', () => resolve('end'));
      socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
      socket.on('close', () => resolve('close'));
    });
  }

  get length(): number {
    return this.#length;
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  /** Begins to read. */
  read(): this {
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
    });
    return this;
  }

  /** Waits until it has got so many bytes. */
  async gets(length: number): Promise<void> {
    while (this.#length < length) await once(this.socket, 'data');
  }

  /** Writes, and waits until the system has taken it. */
  says(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Closes with a reset; after its end, only closes. */
  resets(): void {
    // On Node 20 a reset while the end is on its way leaves the socket open for ever, and the loop spinning.
    if (this.socket.writableEnded) this.socket.destroy();
    else this.#transport.resetAndDestroy();
  }
}

/** A stream with both its far ends. */
export interface Joined {
  readonly client: Peer;
  readonly endpoint: Peer;
  readonly near: { readonly client: Socket; readonly endpoint: Socket };
  readonly stream: Stream;
  readonly summary: Promise<Summary>;
  /** How often the stream told that it was answered, and that it closed. */
  readonly told: { answered: number; closed: number };
  readonly budget: BufferBudget;
  readonly clock: HandClock;
  readonly timers: Timers;
}

export interface JoinSetup {
  readonly limits?: Partial<StreamLimits>;
  readonly budget?: BufferBudget;
  readonly client?: Connection;
  readonly endpoint?: Connection;
  /** What the sockets of given connections have said already. */
  readonly begun?: { readonly client?: Begun; readonly endpoint?: Begun };
  /** How the proxy holds connections that are not given. */
  readonly sockets?: Sockets;
  /** Whether the far ends read from the start; they do unless told. */
  readonly reading?: boolean;
}

const open = (sockets: Joined['near'], setup: JoinSetup) => {
  const clock = makeHandClock();
  const timers = makeTimers(clock.scheduler);
  const budget = setup.budget ?? new BufferBudget(256 * 1024 * 1024, timers);
  const told = { answered: 0, closed: 0 };
  let settle: (summary: Summary) => void = () => undefined;
  const summary = new Promise<Summary>((resolve) => {
    settle = resolve;
  });
  const { client = fresh(sockets.client), endpoint = fresh(sockets.endpoint) } = setup.begun ?? {};
  const stream = openDuplex(client, endpoint, {
    limits: { ...NO_LIMITS, ...setup.limits },
    timers,
    budget,
    answered: () => {
      told.answered += 1;
    },
    closed: (value) => {
      told.closed += 1;
      settle(value);
    },
  });
  assert.equal(told.closed, 0, 'it closed synchronously');
  return { clock, timers, budget, told, summary, stream };
};

/**
 * Joins two connections, plain ones unless given. Time stands still until the test moves `clock`.
 * Ends: after the test all sockets are destroyed; the stream must then have closed once and left nothing.
 */
export const join = async (t: TestContext, setup: JoinSetup = {}): Promise<Joined> => {
  const inbound = setup.client ?? (await connectPlain('far', setup.sockets));
  const outbound = setup.endpoint ?? (await connectPlain('near', setup.sockets));
  const near = { client: inbound.near, endpoint: outbound.near };
  const client = new Peer(inbound);
  const endpoint = new Peer(outbound);
  if (setup.reading !== false) for (const peer of [client, endpoint]) peer.read();
  const joined = { client, endpoint, near, ...open(near, setup) };
  t.after(async () => {
    joined.stream.abort({ reason: 'shutdown', by: 'proxy' });
    for (const { socket } of [client, endpoint]) socket.destroy();
    joined.clock.advance(0);
    await joined.summary;
    assert.equal(joined.told.closed, 1, 'it closed more than once');
    assert.equal(joined.timers.size(), 0, 'a timer was left');
    if (setup.budget === undefined) assert.equal(joined.budget.held, 0, 'bytes were left');
    for (const socket of [near.client, near.endpoint])
      assert.equal(socket.isOpen, false, 'a socket was left');
  });
  return joined;
};

/** How connections are made in one run of a test. */
export interface Kit {
  readonly sockets: Sockets;
  readonly join: typeof join;
  readonly connectPlain: typeof connectPlain;
  readonly connectTls: typeof connectTls;
}

/** Runs a test once for each way in which the proxy may hold connections. */
export const onBoth = (name: string, run: (t: TestContext, kit: Kit) => Promise<void>): void => {
  for (const sockets of KINDS)
    test(`${name} (${sockets.kind})`, (t) =>
      run(t, {
        sockets,
        join: (context, setup = {}) => join(context, { sockets, ...setup }),
        connectPlain: (dialedBy) => connectPlain(dialedBy, sockets),
        connectTls: (dialedBy) => connectTls(dialedBy, sockets),
      }));
};

/** How many sockets and timers the process has open. */
export const openHandles = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^(?:TCP|TLS|Pipe|Timeout)/.test(name)).length;

/** Waits for everything that is ready now. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits as a connection does until there is an endpoint. */
export class Waiting extends ReadAhead {
  protected override gone(code: string | undefined): void {
    assert.fail(`gone: ${code}`);
  }
}

/** Bytes that a stream has read from one side, as long as neither has gone. */
export const readFrom = ({ stream, near }: Joined, side: keyof Joined['near']): number =>
  side === 'client' ? stream.rx : stream.tx + near.client.unwritten;

/** Waits until bytes are stuck on their way to one side, and nothing has moved for many turns. */
export const stuck = async (joined: Joined, to: keyof Joined['near']): Promise<void> => {
  const { stream, near, budget } = joined;
  const look = (): string =>
    [stream.rx, stream.tx, near.client.queued, near.endpoint.queued, budget.held].join(' ');
  let before = look();
  for (let still = 0; still < 50; ) {
    await turn();
    const now = look();
    still = now === before && near[to].unwritten > 0 ? still + 1 : 0;
    before = now;
  }
};

/**
 * One side says more and more, until bytes are stuck on their way to the other; all of it has been read then.
 * Returns how much that is.
 */
export const fill = async (
  joined: Joined,
  from: keyof Joined['near'],
  seed: number,
): Promise<number> => {
  const to = from === 'client' ? 'endpoint' : 'client';
  const piece = 16 * 1024;
  for (let said = 0, still = 0; ; ) {
    if (joined.near[to].unwritten === 0) {
      await joined[from].says(pattern(seed, said, piece));
      said += piece;
      still = 0;
      while (readFrom(joined, from) < said) await turn();
    } else if (still++ === 50) return said;
    else await turn();
  }
};

/** Waits until no more handles are open than there were; closed ones take a few turns to go. */
export const handlesGone = async (before: number): Promise<void> => {
  for (let i = 0; i < 100 && openHandles() > before; i++) await turn();
  assert.ok(openHandles() <= before, process.getActiveResourcesInfo().join(' '));
};

/** Bytes that tell which stream they are of and where they stood in it, so that none can change place unseen. */
export const pattern = (seed: number, from: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) {
    const word = Math.imul(((from + i) >> 2) + Math.imul(seed + 1, 0x9e3779b1), 0x85ebca6b);
    bytes[i] = (word ^ (word >>> 15)) >>> (((from + i) & 3) * 8);
  }
  return bytes;
};
