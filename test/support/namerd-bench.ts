/** An interpreter on a stand-in for namerd, over real sockets, for tests. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import { isRight } from 'fp-ts/lib/Either.js';
import { asyncScheduler } from 'rxjs';
import type { NamerdHttpConfig } from '../../src/config/config.ts';
import type { Env } from '../../src/env.ts';
import type { ResolverEvent } from '../../src/event.ts';
import type { Interpreter, Resolution } from '../../src/interpreter/interpreter.ts';
import { makeInterpreter } from '../../src/interpreter/make.ts';
import type { Transport } from '../../src/interpreter/transport.ts';
import { parsePath } from '../../src/path.ts';
import { addr, bound, type NamerdDouble, startNamerd } from './namerd-double.ts';

/** Two states of a name, as namerd writes them and as `Told` tells them. */
export const ONE = bound(addr(1));
export const TWO = bound(addr(1), addr(2));
export const BOUND_1 = 'bound 127.0.0.1:1';
export const BOUND_12 = 'bound 127.0.0.1:1 127.0.0.1:2';

/** Keys of the configuration, and a transport other than the default. */
export interface Options extends Partial<NamerdHttpConfig> {
  readonly http?: Transport;
}

const show = (resolution: Resolution): string => {
  if (resolution.t === 'failed') return `failed ${resolution.cause}`;
  if (resolution.t !== 'bound') return resolution.t;
  return ['bound', ...resolution.endpoints.map(({ address }) => address.text)].join(' ');
};

/** What a name has told, in words: `bound 127.0.0.1:1`, `neg`, `failed namerd: …`. */
export class Told {
  readonly all: string[] = [];
  readonly #changed = new EventEmitter();
  #read = 0;
  leave = (): void => undefined;

  readonly hear = (resolution: Resolution): void => {
    if (resolution.t === 'confirmed') return;
    this.all.push(show(resolution));
    this.#changed.emit('changed');
  };

  /** The next thing that it tells. */
  async next(): Promise<string> {
    while (this.all.length <= this.#read) await once(this.#changed, 'changed');
    return this.all[this.#read++] ?? '';
  }
}

/** A namerd, an interpreter on it, and all that they leave behind when the test is over. */
export class Bench {
  readonly namerd: NamerdDouble;
  readonly logged: string[] = [];
  readonly events: ResolverEvent[] = [];
  readonly #interpreter: Interpreter;
  readonly #context: TestContext;

  constructor(context: TestContext, namerd: NamerdDouble, { http, ...config }: Options) {
    this.#context = context;
    this.namerd = namerd;
    const env: Env = {
      scheduler: asyncScheduler,
      wallNow: Date.now,
      random: () => 0,
      log: (level, message, fields) =>
        this.logged.push(JSON.stringify({ level, message, ...fields })),
    };
    this.#interpreter = makeInterpreter(
      {
        kind: 'io.l5d.namerd.http',
        baseUrl: namerd.baseUrl,
        namespace: 'default',
        periodSecs: 600,
        watch: true,
        weightedUnions: false,
        maxWatches: 100,
        retry: { baseSeconds: 0.02, maxSeconds: 0.1 },
        ...config,
      },
      { rt: 'test', report: (event) => this.events.push(event), ...(http && { http }) },
      env,
    );
  }

  readonly resolve = (name = '/svc/web'): Told => {
    const path = parsePath(name);
    assert.ok(isRight(path));
    const told = new Told();
    const subscription = this.#interpreter.resolve(path.right).subscribe(told.hear);
    this.#context.after(() => subscription.unsubscribe());
    return Object.assign(told, { leave: () => subscription.unsubscribe() });
  };
}

/** Starts a namerd of its own for a test, and an interpreter on it. */
export const bench = async (
  context: TestContext,
  options: Options & { readonly tls?: { key: string; cert: string } } = {},
): Promise<Bench> => {
  const { tls, ...rest } = options;
  const namerd = await startNamerd(tls);
  context.after(() => namerd.close());
  return new Bench(context, namerd, rest);
};
