/** The served API on a real socket, with a store in memory and namers that say what a test has them say. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { TestContext } from 'node:test';
import { isRight } from 'fp-ts/lib/Either.js';
import {
  BehaviorSubject,
  concat,
  firstValueFrom,
  NEVER,
  type Observable,
  of,
  ReplaySubject,
  share,
} from 'rxjs';
import { makeAddress } from '../../src/address.ts';
import type { Dtab } from '../../src/dtab/dtab.ts';
import { leaf, NEG } from '../../src/dtab/name-tree.ts';
import { parseDtab } from '../../src/dtab/parse.ts';
import type { Env } from '../../src/env.ts';
import { makeDtabNaming } from '../../src/interpreter/dtab-naming.ts';
import type { Addr, Binding, Meta } from '../../src/interpreter/namers/namer.ts';
import type { Counts } from '../../src/namerd/exchanges.ts';
import { makeHandle } from '../../src/namerd/handle.ts';
import { MemoryStore } from '../../src/namerd/memory-store.ts';
import { listen } from '../../src/namerd/server.ts';
import type { Path } from '../../src/path.ts';
import { REAL } from './naming.ts';

export const dtab = (text: string): Dtab => {
  const parsed = parseDtab(text);
  return isRight(parsed) ? parsed.right : assert.fail(parsed.left.message);
};

/** Addresses on loopback by port, with what is known of them. */
export const bound = (ports: readonly number[], meta?: Meta, each?: Meta): Addr => ({
  t: 'bound',
  endpoints: ports.map((port) => ({
    address: makeAddress('127.0.0.1', port),
    weight: 1,
    ...(each && { meta: each }),
  })),
  ...(meta && { meta }),
});

const PREFIX = '/#/io.l5d.namer';

/** What is answered: status, headers and the whole body. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A stream that is read line by line. */
export class Stream {
  readonly headers: IncomingMessage['headers'];
  readonly #incoming: IncomingMessage;
  #text = '';
  #isOver = false;

  constructor(incoming: IncomingMessage) {
    this.headers = incoming.headers;
    this.#incoming = incoming;
    incoming.setEncoding('utf8');
    incoming.on('data', (text: string) => {
      this.#text += text;
    });
    incoming.on('end', () => {
      this.#isOver = true;
    });
  }

  /** The next line; `undefined`: the end. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const at = this.#text.indexOf('\n');
      if (at >= 0) {
        const found = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + 1);
        return found;
      }
      if (this.#isOver) return undefined;
      const over = new AbortController();
      const changes = ['data', 'end'].map((name) => once(this.#incoming, name, over));
      await Promise.race(changes).finally(() => over.abort());
    }
  }
}

interface Parts {
  readonly store: MemoryStore;
  readonly bound$: BehaviorSubject<readonly Path[]>;
  readonly port: number;
  readonly counts: () => Counts;
}

/** The API, and the hands on what is behind it. */
export class ApiBench {
  readonly store: MemoryStore;
  readonly port: number;
  /** By what stands behind the namer’s prefix; other names do not exist. */
  readonly bindings = new Map<string, Observable<Binding>>();
  readonly addrs = new Map<string, BehaviorSubject<Addr>>();
  readonly bound$: BehaviorSubject<readonly Path[]>;
  readonly counts: () => Counts;
  readonly #context: TestContext;

  constructor(context: TestContext, parts: Parts) {
    this.#context = context;
    this.store = parts.store;
    this.bound$ = parts.bound$;
    this.port = parts.port;
    this.counts = parts.counts;
  }

  /** A concrete name with addresses that can be changed. */
  name(path: string, addr: Addr): BehaviorSubject<Addr> {
    const addr$ = new BehaviorSubject(addr);
    this.addrs.set(path, addr$);
    this.bindings.set(path, concat(of(this.leaf(path)), NEVER));
    return addr$;
  }

  leaf(path: string): Binding {
    const addr$ = this.addrs.get(path) ?? NEVER;
    const id = `${PREFIX}${path}` as Path;
    return { t: 'ok', tree: leaf({ id, residual: '/' as Path, addr$ }) };
  }

  async ask(path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answer> {
    const incoming = await this.#send(path, { method, headers, ...(body && { body }) });
    const parts = await incoming.toArray();
    return {
      status: incoming.statusCode ?? 0,
      headers: incoming.headers,
      body: Buffer.concat(parts).toString(),
    };
  }

  async watch(path: string): Promise<Stream> {
    return new Stream(await this.#send(path, {}));
  }

  async #send(path: string, { body, ...options }: Asking): Promise<IncomingMessage> {
    const outgoing = request({ port: this.port, path: `/api/1/${path}`, agent: false, ...options });
    this.#context.after(() => outgoing.destroy());
    outgoing.on('error', () => undefined);
    outgoing.end(body);
    const [incoming] = await once(outgoing, 'response');
    return incoming;
  }
}

interface Settings {
  readonly maxWatches?: number;
  /** Other parts of the world than the real ones. */
  readonly world?: Partial<Env>;
}

/** Serves these dtabs on a free port. */
export const startApi = async (
  context: TestContext,
  dtabs: Readonly<Record<string, string>>,
  { maxWatches = 100, world = {} }: Settings = {},
): Promise<ApiBench> => {
  const env = { ...REAL, ...world };
  const store = new MemoryStore(
    new Map(Object.entries(dtabs).map(([ns, text]) => [ns, dtab(text)])),
  );
  const bound$ = new BehaviorSubject<readonly Path[]>([]);
  let api: ApiBench | undefined;
  const naming = makeDtabNaming((path) => {
    const found = path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length) : undefined;
    return api?.bindings.get(found ?? '') ?? of({ t: 'ok', tree: NEG });
  }, env);
  const handle = makeHandle({ naming, store, bound$ }, env);
  const address = makeAddress('127.0.0.1', 0);
  const served$ = listen({ address, place: 'interfaces[0].port', maxWatches, handle }, env).pipe(
    share({ connector: () => new ReplaySubject(1) }),
  );
  const running = served$.subscribe();
  context.after(() => running.unsubscribe());
  const listening = await firstValueFrom(served$);
  assert.ok(isRight(listening));
  api = new ApiBench(context, {
    store,
    bound$,
    counts: listening.right.counts,
    port: Number(listening.right.address.split(':')[1]),
  });
  return api;
};
