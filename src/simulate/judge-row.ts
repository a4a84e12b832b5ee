/** Rows that are expected, marble by marble. Pure. */
import type { Evidence, Verdict } from './judge.ts';
import type { Expectation, FactKind } from './scenario.ts';

/** Something that happened, and what a letter may stand for of it. */
interface Fact {
  readonly at: number;
  readonly what: string;
}

type Row = Extract<Expectation, { t: 'row' }>;

const factsOf = (of: FactKind, name: string | undefined, { run }: Evidence): readonly Fact[] => {
  const { connections, endpoints } = run.journal;
  const isOf = (dst: string | undefined): boolean => name === undefined || dst === name;
  switch (of) {
    case 'arrived':
      return connections.filter(({ dst }) => isOf(dst)).map(({ at }) => ({ at, what: '' }));
    case 'dispatched':
      return connections
        .filter(({ openedAt, dst }) => openedAt !== undefined && isOf(dst))
        .map(({ openedAt = 0, endpoint = '' }) => ({ at: openedAt, what: endpoint }));
    case 'refused':
      return connections
        .filter(
          ({ openedAt, endedAt, dst }) =>
            openedAt === undefined && endedAt !== undefined && isOf(dst),
        )
        .map(({ endedAt = 0, reason = 'nobody listens' }) => ({ at: endedAt, what: reason }));
    default:
      return endpoints
        .filter(({ t, dst }) => t === of && isOf(dst))
        .map(({ at, endpoint }) => ({ at, what: endpoint }));
  }
};

/** Times of scenarios are whole ms; what chance has shifted within one is the same moment. */
const same = (one: number, other: number): boolean => Math.abs(one - other) < 1;

/** Judges one row: everything that it says, and nothing else. */
export const judgeRow = (
  { of, name, marks, values }: Row,
  evidence: Evidence,
): Omit<Verdict, 'text'> => {
  const facts = [...factsOf(of, name, evidence)].sort((a, b) => a.at - b.at);
  const wanted = marks.map(({ at, key }) => {
    const value = values.get(key);
    return { at, key, what: value === undefined ? undefined : evidence.addressOf(value) };
  });
  for (const [i, mark] of wanted.entries()) {
    const fact = facts[i];
    if (fact === undefined)
      return { isHeld: false, at: mark.at, seen: `nothing where ${mark.key} should be` };
    const isRight = same(fact.at, mark.at) && (mark.what === undefined || mark.what === fact.what);
    if (!isRight)
      return {
        isHeld: false,
        at: Math.min(fact.at, mark.at),
        seen: `${fact.what} at ${fact.at} ms where ${mark.key} is expected at ${mark.at} ms`,
      };
  }
  const more = facts[wanted.length];
  if (more === undefined) return { isHeld: true, seen: 'as expected' };
  return { isHeld: false, at: more.at, seen: `${more.what} at ${more.at} ms besides` };
};
