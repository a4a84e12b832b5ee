/** Whether what happened is what was expected. Pure. */
import { parseAddress } from '../address.ts';
import type { Comparison } from './expectation.ts';
import type { Connection } from './journal.ts';
import { judgeRow } from './judge-row.ts';
import { quantileOf } from './quantile.ts';
import type { Run } from './run.ts';
import type { Expectation, Scenario } from './scenario.ts';
import { showDuration } from './units.ts';
import { isWho } from './who.ts';

/** What became of one expectation. */
export interface Verdict {
  readonly text: string;
  readonly isHeld: boolean;
  /** When it was first violated, in ms; absent: there is no such moment. */
  readonly at?: number;
  /** What was seen instead, in words. */
  readonly seen: string;
}

type Sentence = Extract<Expectation, { t: 'sentence' }>['sentence'];
type Of<T extends Sentence['t']> = Extract<Sentence, { readonly t: T }>;
type Judged = Omit<Verdict, 'text'>;

/** What the sentences are about. */
export interface Evidence {
  readonly run: Run;
  readonly scenario: Scenario;
  /** The address of an endpoint by its name. */
  readonly addressOf: (name: string) => string;
}

const COMPARE: Readonly<Record<Comparison, (seen: number, wanted: number) => boolean>> = {
  '>=': (seen, wanted) => seen >= wanted,
  '>': (seen, wanted) => seen > wanted,
  '<=': (seen, wanted) => seen <= wanted,
  '<': (seen, wanted) => seen < wanted,
  '==': (seen, wanted) => seen === wanted,
};

const percent = (share: number): string => `${Math.round(share * 1e5) / 1e3}%`;

interface Count {
  readonly all: readonly Connection[];
  readonly isCounted: (connection: Connection) => boolean;
}

/**
 * Compares how many of some are counted. The moment of a violation is the first one counted of too many, and the first
 * one not counted of too few.
 */
const countedOf = (
  bound: { readonly comparison: Comparison; readonly value: number; readonly isShare: boolean },
  { all, isCounted }: Count,
): Judged => {
  const counted = all.filter(isCounted);
  const share = all.length === 0 ? 0 : counted.length / all.length;
  const seen = bound.isShare ? share : counted.length;
  const isHeld = COMPARE[bound.comparison](seen, bound.value);
  const isTooFew = bound.comparison.startsWith('>') || seen < bound.value;
  const odd = isTooFew ? all.find((one) => !isCounted(one)) : counted[0];
  const words = `${counted.length} of ${all.length}, ${percent(share)}`;
  return { isHeld, seen: words, ...(isHeld || odd === undefined ? {} : { at: odd.at }) };
};

const within = (
  { journal }: Run,
  { from, until }: { readonly from: number; readonly until: number },
): readonly Connection[] => journal.connections.filter(({ at }) => at >= from && at < until);

const isOpened = ({ openedAt }: Connection): boolean => openedAt !== undefined;

const isBelow = (name: string | undefined, prefix: string): boolean =>
  name !== undefined && (name === prefix || name.startsWith(`${prefix === '/' ? '' : prefix}/`));

/** Whether a connection went to an endpoint, or to a name or one below it. */
const wentTo =
  (target: string, { addressOf }: Evidence) =>
  ({ dst, endpoint }: Connection): boolean =>
    target.startsWith('/')
      ? endpoint !== undefined && isBelow(dst, target)
      : endpoint === addressOf(target);

const judgeConnections = (sentence: Of<'connections'>, evidence: Evidence): Judged =>
  countedOf(sentence, {
    all: within(evidence.run, sentence).filter(isOpened),
    isCounted: wentTo(sentence.target, evidence),
  });

const judgeEnded = (sentence: Of<'ended'>, { run }: Evidence): Judged => {
  const { reason } = sentence;
  return countedOf(sentence, {
    all: within(run, sentence),
    isCounted: (one) =>
      reason === undefined ? !isOpened(one) && one.endedAt !== undefined : one.reason === reason,
  });
};

const judgeConnect = (
  { quantile, comparison, ms, ...window }: Of<'connect'>,
  { run }: Evidence,
): Judged => {
  const took = within(run, window).flatMap(({ at, openedAt }) =>
    openedAt === undefined ? [] : [{ at, ms: openedAt - at }],
  );
  const sorted = took.map((one) => one.ms).sort((a, b) => a - b);
  const value = quantileOf(sorted, quantile);
  if (value === undefined) return { isHeld: false, seen: 'no connection' };
  const isHeld = COMPARE[comparison](value, ms);
  const odd = took.find((one) => !COMPARE[comparison](one.ms, ms));
  return {
    isHeld,
    seen: showDuration(value),
    ...(isHeld || odd === undefined ? {} : { at: odd.at }),
  };
};

/** In no stretch of that length, beginning with a connection, may one endpoint get more than its share. */
const judgeCrowd = ({ share, ms }: Of<'crowd'>, { run, scenario }: Evidence): Judged => {
  const opened = run.journal.connections
    .filter(isOpened)
    .sort((a, b) => (a.openedAt ?? 0) - (b.openedAt ?? 0));
  const counts = new Map<string, number>();
  let [first, worst, worstAt, who] = [0, 0, 0, ''];
  for (const [i, { endpoint = '', openedAt = 0 }] of opened.entries()) {
    counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
    for (
      let old = opened[first];
      old !== undefined && (old.openedAt ?? 0) <= openedAt - ms;
      old = opened[first]
    ) {
      counts.set(old.endpoint ?? '', (counts.get(old.endpoint ?? '') ?? 1) - 1);
      first += 1;
    }
    const seen = (counts.get(endpoint) ?? 0) / (i - first + 1);
    // Only a whole stretch says something: the first connection is always all of them.
    if (openedAt >= ms && seen > worst) [worst, worstAt, who] = [seen, openedAt, endpoint];
  }
  const isHeld = worst <= share;
  const name = scenario.endpoints.find(({ address }) => address.text === who)?.name ?? who;
  return {
    isHeld,
    seen: who === '' ? 'no connection' : `${name} ${percent(worst)}`,
    ...(isHeld ? {} : { at: worstAt }),
  };
};

/** Each time that its health turned, it must be put aside, or come back, in time. */
const judgeWithin = (
  { what, endpoint, ms }: Of<'within'>,
  { run, scenario, addressOf }: Evidence,
): Judged => {
  const address = addressOf(endpoint);
  const behaviour = scenario.endpoints.find(({ name }) => name === endpoint)?.behaviour ?? [];
  const isWanted = (health: string): boolean => (health === 'up') === (what === 'restored');
  const turns = behaviour.filter(
    ({ value }, i) =>
      i > 0 && isWanted(value.health) && !isWanted(behaviour[i - 1]?.value.health ?? 'up'),
  );
  const facts = run.journal.endpoints.filter((one) => one.t === what && one.endpoint === address);
  if (turns.length === 0) return { isHeld: false, seen: `the health of ${endpoint} never turns` };
  for (const turn of turns) {
    const fact = facts.find(({ at }) => at >= turn.at);
    const took = fact === undefined ? undefined : fact.at - turn.at;
    if (took === undefined || took > ms)
      return {
        isHeld: false,
        at: turn.at + ms,
        seen: took === undefined ? 'never' : `after ${showDuration(took)}`,
      };
  }
  return { isHeld: true, seen: 'in time' };
};

const judgeNever = ({ who, target }: Of<'never'>, evidence: Evidence): Judged => {
  const isThere = wentTo(target, evidence);
  const matches = isWho(who);
  const odd = evidence.run.journal.connections.find((one) => matches(one) && isThere(one));
  if (odd === undefined) {
    const isAnybody = evidence.run.journal.connections.some(matches);
    return { isHeld: true, seen: isAnybody ? 'never' : `never; nobody who came is ${who}` };
  }
  return { isHeld: false, at: odd.at, seen: `${odd.sni ?? odd.src} -> ${odd.dst} ${odd.endpoint}` };
};

const judgeMost = ({ what, comparison, value }: Of<'most'>, { run }: Evidence): Judged => {
  const { count, at } = what === 'open' ? run.journal.mostOpen : run.journal.mostWaiting;
  const isHeld = COMPARE[comparison](count, value);
  return { isHeld, seen: `${count}`, ...(isHeld ? {} : { at }) };
};

const judgeLookups = ({ target, comparison, value }: Of<'lookups'>, { run }: Evidence): Judged => {
  const times = run.journal.lookups.get(target) ?? [];
  const isHeld = COMPARE[comparison](times.length, value);
  const at = times.at(-1);
  return { isHeld, seen: `${times.length}`, ...(isHeld || at === undefined ? {} : { at }) };
};

const judgeSentence = (sentence: Sentence, evidence: Evidence): Judged => {
  switch (sentence.t) {
    case 'success':
      return countedOf(sentence, { all: within(evidence.run, sentence), isCounted: isOpened });
    case 'ended':
      return judgeEnded(sentence, evidence);
    case 'connections':
      return judgeConnections(sentence, evidence);
    case 'connect':
      return judgeConnect(sentence, evidence);
    case 'crowd':
      return judgeCrowd(sentence, evidence);
    case 'within':
      return judgeWithin(sentence, evidence);
    case 'never':
      return judgeNever(sentence, evidence);
    case 'most':
      return judgeMost(sentence, evidence);
    case 'lookups':
      return judgeLookups(sentence, evidence);
  }
};

/** An operator that keeps connections cannot be simulated, if it waits for the real world. */
const judgeKeepers = ({ journal: { keepers } }: Run): readonly Verdict[] =>
  [...keepers].map(([name, count]) => ({
    text: 'every operator gives its connections back',
    isHeld: false,
    seen: `${name} kept ${count} until their time was up: it drops them, or it waits for a promise or real time`,
  }));

/** Judges everything that a scenario expects, in its order. */
export const judge = (scenario: Scenario, run: Run): readonly Verdict[] => {
  const addresses = new Map(scenario.endpoints.map(({ name, address }) => [name, address.text]));
  const addressOf = (name: string): string =>
    addresses.get(name) ?? parseAddress(name)?.text ?? name;
  const evidence: Evidence = { run, scenario, addressOf };
  const verdicts = scenario.expectations.map(
    (expectation): Verdict => ({
      text: expectation.text,
      ...(expectation.t === 'row'
        ? judgeRow(expectation, evidence)
        : judgeSentence(expectation.sentence, evidence)),
    }),
  );
  return [...verdicts, ...judgeKeepers(run)];
};
