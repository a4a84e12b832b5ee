/** A server on a real socket of loopback, its events as a list, and a clock that stands until the test moves it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { isRight } from 'fp-ts/lib/Either.js';
import { BehaviorSubject, firstValueFrom, type Subscription } from 'rxjs';
import { type Address, makeAddress } from '../../src/address.ts';
import type { ServerConfig } from '../../src/config/config.ts';
import { BufferBudget } from '../../src/duplex/budget.ts';
import type { Env } from '../../src/env.ts';
import type { ServerEvent } from '../../src/event.ts';
import type { Fields, Level } from '../../src/log.ts';
import { parsePath } from '../../src/path.ts';
import { Clients } from '../../src/server/clients.ts';
import { Descriptors } from '../../src/server/descriptors.ts';
import { bindListener, type Listener } from '../../src/server/listener.ts';
import { serve } from '../../src/server/serve.ts';
import type { Sockets } from '../../src/socket/sockets.ts';
import { makeTimers } from '../../src/timers.ts';
import { eventually, within } from './eventually.ts';
import { makeHandClock } from './hand-clock.ts';
import { noPlugin } from './no-plugin.ts';
import type { Scope } from './process.ts';
import { HANDLES } from './sockets.ts';

/** Any free port of loopback. */
export const LOOPBACK: Address = makeAddress('127.0.0.1', 0);

const WEB = parsePath('/svc/web');

/** The config of a plain server; what a test cares for it sets. */
export const makeConfig = (settings: Partial<ServerConfig> = {}): ServerConfig => {
  assert.ok(isRight(WEB));
  return {
    place: 'routers[0].servers[0]',
    address: LOOPBACK,
    identify: [{ place: 'routers[0].servers[0].dstName', conditions: {}, dst: WEB.right }],
    sources: { allow: [], deny: [] },
    connectTimeoutMs: 10_000,
    connectionLifetimeMs: Number.POSITIVE_INFINITY,
    connectionLifetimeJitter: 0,
    idleTimeoutMs: Number.POSITIVE_INFINITY,
    halfCloseTimeoutMs: 60_000,
    resetLingerMs: 100,
    maxConcurrency: 100_000,
    ...settings,
  };
};

export interface Line {
  readonly level: Level;
  readonly message: string;
  readonly fields: Fields;
}

/** An env whose clock is moved by hand, whose chance is always one half, and whose log is a list. */
export const makeHandEnv = () => {
  const clock = makeHandClock();
  const lines: Line[] = [];
  let ahead = 0;
  const env: Env = {
    scheduler: clock.scheduler,
    wallNow: () => Date.now() + ahead,
    random: () => 0.5,
    log: (level, message, fields = {}) => {
      lines.push({ level, message, fields: typeof fields === 'function' ? fields() : fields });
    },
  };
  return {
    clock,
    lines,
    env,
    /** Puts the wall clock on. */
    advanceWall: (ms: number) => {
      ahead += ms;
    },
  };
};

/** Binds a listener for a test; it is closed after it. */
export const bound = async (
  scope: Scope,
  env: Env,
  { address = LOOPBACK, sockets = HANDLES }: Pick<ServingOptions, 'address' | 'sockets'> = {},
): Promise<Listener> => {
  const parts = { sockets, env };
  const result = await firstValueFrom(bindListener(address, 'routers[0].servers[0]', parts));
  assert.ok(isRight(result), JSON.stringify(result));
  scope.after(result.right.close);
  return result.right;
};

/** The port of `ip:port`. */
export const portOf = (srv: string): number => Number(srv.slice(srv.lastIndexOf(':') + 1));

type Of<T extends ServerEvent['t']> = Extract<ServerEvent, { readonly t: T }>;

export interface ServingOptions {
  readonly settings?: Partial<ServerConfig>;
  readonly descriptors?: Descriptors;
  readonly maxBufferedBytes?: number;
  readonly address?: Address;
  /** How it holds its connections; the best there are unless told. */
  readonly sockets?: Sockets;
  /** Serves this one instead of binding one. */
  readonly listener?: Listener;
}

/** Begins to serve. After the test it stops, and every client that it took is dropped. */
export const startServing = async (scope: Scope, options: ServingOptions = {}) => {
  const { clock, lines, env, advanceWall } = makeHandEnv();
  const listener = options.listener ?? (await bound(scope, env, options));
  const config$ = new BehaviorSubject(makeConfig(options.settings));
  const clients = new Clients();
  const descriptors = options.descriptors ?? new Descriptors(Number.POSITIVE_INFINITY);
  const timers = makeTimers(env.scheduler);
  const budget = new BufferBudget(options.maxBufferedBytes ?? Number.POSITIVE_INFINITY, timers);
  const events: ServerEvent[] = [];
  const end = { completed: false, error: undefined as unknown };
  let lastId = 0;
  const deps = {
    rt: 'main',
    clients,
    descriptors,
    budget,
    timers,
    bufferSizeBytes: () => 1_048_576,
    nextId: () => ++lastId,
    identifier: noPlugin,
  };
  const subscription: Subscription = serve(listener, config$, { deps, env }).subscribe({
    next: (event) => events.push(event),
    error: (error) => {
      end.error = error;
    },
    complete: () => {
      end.completed = true;
    },
  });
  scope.after(() => {
    subscription.unsubscribe();
    for (const { envelope } of [...clients.all()]) clients.refuse(envelope.id);
  });
  const all = <T extends ServerEvent['t']>(t: T): readonly Of<T>[] =>
    events.filter((event): event is Of<T> => event.t === t);
  /** Waits until there are so many events of a kind, and gives them. */
  const told = <T extends ServerEvent['t']>(t: T, count = 1): Promise<readonly Of<T>[]> =>
    eventually(`${count} ${t}`, () => all(t).length >= count && all(t));
  return {
    ...{ clock, lines, env, listener, config$, clients, descriptors, budget, timers },
    advanceWall,
    ...{ events, end, subscription, all, told, port: portOf(listener.srv) },
  };
};

export type Serving = Awaited<ReturnType<typeof startServing>>;

/** A client of a test, on its way: destroyed after it, and its errors are nobody’s business but `ended`’s. */
export const open = (
  scope: Scope,
  port: number,
  options: Partial<net.TcpNetConnectOpts> = {},
): net.Socket => {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...options });
  scope.after(() => {
    socket.destroy();
  });
  return socket.on('error', () => undefined);
};

/** The same, connected. */
export const dial = async (...how: Parameters<typeof open>): Promise<net.Socket> => {
  const socket = open(...how);
  await within('a connection', once(socket, 'connect'));
  return socket;
};

/** How a socket that reads went: the code of its error, or `end`. */
export const ended = (socket: net.Socket): Promise<string> =>
  within(
    'the end of a client',
    new Promise((resolve) => {
      const told = (): void => {
        const { errored } = socket;
        resolve(errored === null ? 'end' : 'code' in errored ? String(errored.code) : `${errored}`);
      };
      if (socket.destroyed || socket.readableEnded) told();
      socket.on('error', told).on('end', told).on('close', told).resume();
    }),
  );
