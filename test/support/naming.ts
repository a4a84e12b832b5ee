/** Names followed in real time, for tests: what a namer, a naming or an interpreter tells, in words. */
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import { asyncScheduler, distinctUntilChanged, map, type Observable, of, switchMap } from 'rxjs';
import type { Env } from '../../src/env.ts';
import type { Addr, Binding } from '../../src/interpreter/namers/namer.ts';

/** The world of these tests. */
export const REAL: Env = {
  scheduler: asyncScheduler,
  wallNow: Date.now,
  random: Math.random,
  log: () => undefined,
};

/** An Observable of texts that a test waits on. */
export class Listener {
  readonly all: string[] = [];
  readonly #changed = new EventEmitter();

  constructor(context: TestContext, told$: Observable<string>) {
    const subscription = told$.subscribe((text) => {
      this.all.push(text);
      this.#changed.emit('changed');
    });
    context.after(() => subscription.unsubscribe());
  }

  get last(): string | undefined {
    return this.all.at(-1);
  }

  /** Resolves when the last thing told is this. */
  async until(text: string): Promise<void> {
    while (this.last !== text) await once(this.#changed, 'changed');
  }
}

/** Addresses in order, with weights other than 1. */
export const showAddr = (addr: Addr): string => {
  if (addr.t === 'failed') return `failed ${addr.cause}`;
  if (addr.t !== 'bound') return addr.t;
  const texts = addr.endpoints.map(
    ({ address, weight }) => `${address.text}${weight === 1 ? '' : ` * ${weight}`}`,
  );
  return texts.sort().join(', ') || 'nobody';
};

/** What a namer says of a name, down to the addresses of a leaf. */
export const showBinding = (binding$: Observable<Binding>): Observable<string> =>
  binding$.pipe(
    switchMap((binding) => {
      if (binding.t === 'failed') return of(`failed ${binding.cause}`);
      if (binding.t !== 'ok') return of(binding.t);
      const { tree } = binding;
      return tree.t === 'leaf' && typeof tree.value !== 'string'
        ? tree.value.addr$.pipe(map(showAddr))
        : of(tree.t);
    }),
    distinctUntilChanged(),
  );
