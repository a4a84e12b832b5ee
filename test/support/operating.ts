/** A chain of operators in virtual time: envelopes go in as letters, and what becomes of them is told in words. */
import { NEVER, type Observable, Subject } from 'rxjs';
import type { OperatorConfig } from '../../src/config/config.ts';
import { type Envelope, makeEnvelope } from '../../src/envelope.ts';
import { operate } from '../../src/operators/chain.ts';
import type { Ended, Operator, OperatorEnv } from '../../src/operators/operator.ts';
import type { Path } from '../../src/path.ts';
import { makeOperator } from '../../src/plugins/make.ts';
import type { Marbles } from '../../src/testing/marbles.ts';
import { makeTimers } from '../../src/timers.ts';

/** Envelope of a letter: `a` is 1; it comes from 10.0.0.1 and wants /svc/web, unless something else is said. */
export const envelopeOf = (letter: string, known: Partial<Envelope> = {}): Envelope => {
  const id = letter.charCodeAt(0) - 96;
  const place = { id, rt: 'r', srv: '127.0.0.1:1', deadline: Number.POSITIVE_INFINITY };
  const from = { src: `10.0.0.1:${40_000 + id}`, dst: '/svc/web' as Path, rule: '', at: 0 };
  return { ...makeEnvelope(place, from), ...known };
};

/** Envelopes by their letters, for diagrams. */
export const LETTERS: Readonly<Record<string, Envelope>> = Object.fromEntries(
  [...'abcdefgh'].map((letter) => [letter, envelopeOf(letter)]),
);

const letterOf = (id: number): string => String.fromCharCode(96 + id);

/** An operator of a test, under a name. */
export const own = (by: string): OperatorConfig => ({
  kind: 'custom',
  by,
  options: {},
  place: 'operators[0]',
  isShadow: false,
});

/** What is put in. */
export interface Operating {
  readonly envelope$: Observable<Envelope>;
  readonly operators$: Observable<readonly OperatorConfig[]>;
  /** Operators by name; those that are not here come along. */
  readonly made?: Readonly<Record<string, (env: OperatorEnv) => Operator>>;
  readonly ended$?: Observable<Ended>;
}

/**
 * Runs a chain; emits `a` for an envelope that has passed, `a /svc/b` when its name is another, `-a reason why` for one
 * that is refused, `!broke`, `!strayed` and `!kept 2`.
 */
export const operating = (
  m: Marbles,
  { envelope$, operators$, made = {}, ended$ = NEVER }: Operating,
): {
  readonly told$: Observable<string>;
  readonly out$: Observable<Envelope>;
  readonly depart: (letter: string) => void;
} => {
  const told$ = new Subject<string>();
  const ends$ = new Subject<Ended>();
  const watches = new Map<number, (detail: string) => void>();
  ended$.subscribe(ends$);
  const out$ = envelope$.pipe(
    operate(
      {
        rt: 'r',
        timers: makeTimers(m.env.scheduler),
        operators$,
        make: (config, env) => made[config.by]?.(env) ?? makeOperator(config, env),
        ended$: ends$,
        watch: (id, departed) => watches.set(id, departed),
        refuse: ({ id, reason, detail }) => {
          told$.next(`-${letterOf(id)} ${reason} ${detail}`);
          ends$.next({ id, reason });
        },
        revised: () => undefined,
        tell: (event) => told$.next(event.t === 'kept' ? `!kept ${event.count}` : `!${event.t}`),
      },
      m.env,
    ),
  );
  return {
    told$,
    out$,
    depart: (letter) => watches.get(letter.charCodeAt(0) - 96)?.('ECONNRESET'),
  };
};
