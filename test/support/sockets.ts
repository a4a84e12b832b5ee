/** Both far ends of a stream, on real loopback sockets: peers that tell what they got, and how it ended. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { type BufferBudget, makeBudget } from '../../src/duplex/budget.ts';
import { openDuplex } from '../../src/duplex/duplex.ts';
import type { Stream, StreamLimits, Summary } from '../../src/duplex/stream.ts';
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
  bufferSizeBytes: 262_144,
  place: 'routers[0].servers[0]',
};

/** A connection’s two sockets; both must be closed by the test. */
export interface Connection {
  /** The one that belongs to the proxy. */
  readonly near: net.Socket;
  readonly far: net.Socket;
  /** The TCP socket of the far end. */
  readonly transport: net.Socket;
}

const accept = async (server: net.Server): Promise<[accepted: net.Socket, dialed: net.Socket]> => {
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const dialed = net.connect({ host: HOST, port, ...OPTIONS });
  const [[accepted]] = (await Promise.all([
    once(server, 'connection'),
    once(dialed, 'connect'),
  ])) as [[net.Socket], unknown];
  server.close();
  return [accepted, dialed];
};

/** Opens a TCP connection. `dialedBy`: whether the far end or the proxy opens it. */
export const connectPlain = async (dialedBy: 'far' | 'near'): Promise<Connection> => {
  const [accepted, dialed] = await accept(net.createServer(OPTIONS));
  return dialedBy === 'far'
    ? { near: accepted, far: dialed, transport: dialed }
    : { near: dialed, far: accepted, transport: accepted };
};

const CERTIFICATE = generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });

/** Opens a TLS connection; the one who dials is the TLS client. */
export const connectTls = async (dialedBy: 'far' | 'near'): Promise<Connection> => {
  const { private: key, cert } = await CERTIFICATE;
  const [raw, below] = await accept(net.createServer(OPTIONS));
  const accepted = new tls.TLSSocket(raw, { isServer: true, key, cert });
  const dialed = tls.connect({ socket: below, rejectUnauthorized: false });
  await Promise.all([once(accepted, 'secure'), once(dialed, 'secureConnect')]);
  return dialedBy === 'far'
    ? { near: accepted, far: dialed, transport: below }
    : { near: dialed, far: accepted, transport: raw };
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
  readonly near: { readonly client: net.Socket; readonly endpoint: net.Socket };
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
  /** Whether the far ends read from the start; they do unless told. */
  readonly reading?: boolean;
}

const open = (sockets: Joined['near'], setup: JoinSetup) => {
  const clock = makeHandClock();
  const timers = makeTimers(clock.scheduler);
  const budget = setup.budget ?? makeBudget(256 * 1024 * 1024);
  const told = { answered: 0, closed: 0 };
  let settle: (summary: Summary) => void = () => undefined;
  const summary = new Promise<Summary>((resolve) => {
    settle = resolve;
  });
  const stream = openDuplex(sockets.client, sockets.endpoint, {
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
  const inbound = setup.client ?? (await connectPlain('far'));
  const outbound = setup.endpoint ?? (await connectPlain('near'));
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
      assert.equal(socket.destroyed, true, 'a socket was left');
  });
  return joined;
};

/** How many sockets and timers the process has open. */
export const openHandles = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^(?:TCP|TLS|Pipe|Timeout)/.test(name)).length;

/** Waits for everything that is ready now. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

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
