/** Marble tests: a fresh virtual clock per test, an `Env` on it, and time lines that fail readably. */
import { AssertionError } from 'node:assert';
import type { Observable } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import type { Env } from '../env.ts';
import { type Routing, type RoutingSetup, startRouting } from './routing.ts';
import { compareTimeLines } from './time-lines.ts';
import { type MarbleOptions, virtualEnv } from './virtual-env.ts';

type Source = Pick<ReturnType<RunHelpers['cold']>, 'subscriptions'>;

/** What a marble test works with; see RxJS's guide to marble testing for the syntax of diagrams. */
export interface Marbles extends Pick<RunHelpers, 'hot' | 'cold' | 'flush'> {
  /** When a diagram ends, in ms: `'90s |'` is 90000. */
  readonly time: (diagram: string) => number;
  /** Expects what an Observable tells; `unsub`, such as `'^--!'`, is owed where it never ends. */
  readonly expect: (
    actual$: Observable<unknown>,
    unsub?: string,
  ) => { toBe: (diagram: string, values?: object, error?: unknown) => void };
  /** Expects when a `hot` or `cold` was subscribed and let go, one diagram for each subscription. */
  readonly subs: (source: Source) => { toBe: (diagrams: string | string[]) => void };
  /** The world of the test: virtual time, scripted chance, a log that is kept in `logged`. */
  readonly env: Env;
  /**
   * Runs the routers of a configuration, on names and endpoints of the test; nothing is opened. Something must be expected of
   * them, or looked at after a `flush`.
   */
  readonly router: (config: string | object, setup: RoutingSetup) => Routing;
  /** What was logged so far: `level message key=value …`. */
  readonly logged: readonly string[];
}

const time = (diagram: string): number =>
  TestScheduler.parseMarbles(diagram, undefined, undefined, false, true).at(-1)?.frame ?? 0;

/** A diagram as RxJS reads it: what is at which ms. */
export const rxMarks = (
  diagram: string,
): readonly { readonly at: number; readonly key: unknown }[] =>
  TestScheduler.parseMarbles(diagram, undefined, undefined, false, true).map(
    ({ frame, notification }) => ({
      at: frame,
      key: notification.kind === 'N' ? notification.value : notification.kind,
    }),
  );

const isPromise = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'then' in value;

/** What a test has looked at, and what it owes. */
interface Account {
  /** Expectations that were begun and not yet given their diagram. */
  readonly open: Set<string>;
  hasLooked: boolean;
  /** A router ran. */
  hasRun: boolean;
}

const missing = ({ open, hasLooked, hasRun }: Account): string | undefined => {
  if (open.size > 0) return `no diagram was given to: ${[...open].join(', ')}`;
  return hasRun && !hasLooked
    ? 'a router ran and nothing was expected; use m.expect, or m.flush and assert'
    : undefined;
};

/** Keeps account of what is expected. */
const expecting = (
  helpers: RunHelpers,
  account: Account,
): Pick<Marbles, 'expect' | 'subs' | 'flush'> => {
  let count = 0;
  const owed = (what: string) => {
    const name = `${what} #${++count}`;
    account.open.add(name);
    account.hasLooked = true;
    return () => account.open.delete(name);
  };
  return {
    flush: () => {
      account.hasLooked = true;
      helpers.flush();
    },
    expect: (actual$, unsub) => {
      const settle = owed('expect');
      const test = helpers.expectObservable(actual$, unsub ?? null);
      return { toBe: (...args) => settle() && test.toBe(...args) };
    },
    subs: (source) => {
      const settle = owed('subs');
      const test = helpers.expectSubscriptions(source.subscriptions);
      return { toBe: (diagrams) => settle() && test.toBe(diagrams) };
    },
  };
};

/**
 * Runs `body` in virtual time, then all that it scheduled, and compares; `test(title, () => marbles((m) => …))`.
 * Errors: throws an AssertionError that shows both time lines; also when an expectation was given no diagram, when a router ran
 * and nothing was expected, and when `body` is async, since promises do not resolve in virtual time.
 */
export const marbles = (body: (m: Marbles) => void, options: MarbleOptions = {}): void => {
  const mistakes: Error[] = [];
  const mistaken = (error: Error): void => void mistakes.push(error);
  /** A mistake of the test says more than what comes of it. */
  const check = (): void => {
    for (const mistake of mistakes) throw mistake;
  };
  const scheduler = new TestScheduler((actual, expected) => {
    check();
    compareTimeLines(actual, expected);
  });
  scheduler.run((helpers) => {
    const { hot, cold } = helpers;
    const logged: string[] = [];
    const account: Account = { open: new Set(), hasLooked: false, hasRun: false };
    const env = virtualEnv(scheduler, options, logged);
    const returned: unknown = body({
      hot,
      cold,
      time,
      env,
      logged,
      router: (config, setup) => {
        account.hasRun = true;
        return startRouting(config, setup, { env, time, marks: rxMarks, mistaken });
      },
      ...expecting(helpers, account),
    });
    if (isPromise(returned))
      throw new AssertionError({
        message: 'a marble test must not be async, nor return a promise',
      });
    const message = missing(account);
    if (message !== undefined) throw new AssertionError({ message });
  });
  check();
};
