/** What a run has found, and the ratios that can be drawn from it. */
import { median } from './machine.ts';

/** This project’s name among the contenders. */
export const OURS = 'linkerd-tcp';

/** A second process of the same peer: how far two equals differ. */
export const AGAIN = 'haproxy again';

/** How far an A/A ratio may be from 1 for a figure to be judged. */
const NOISE = 1.1;

/** A number of streams in words. */
export const streamsOf = (count: number): string => (count === 1 ? '1 stream' : `${count} streams`);

/** One quantity of one load, of each contender and round. */
export interface Row {
  /** `group/load/quantity`, which goals are found by. */
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** By the contender’s name; the n-th values of each are of one round. */
  readonly values: ReadonlyMap<string, readonly number[]>;
}

/** The middle of the ratios of each round; `NaN` where there are none. */
export const ratioOf = ({ values }: Row, one: string, other: string): number => {
  const others = values.get(other) ?? [];
  const ratios = (values.get(one) ?? []).map((value, i) => value / (others[i] ?? Number.NaN));
  return median(ratios.filter(Number.isFinite));
};

/** The middle value of one contender; `NaN` where there is none. */
export const medianOf = ({ values }: Row, name: string): number =>
  median((values.get(name) ?? []).filter(Number.isFinite));

/** The ratio of the peer to itself where that was measured and is too far from 1 for a verdict. */
export const noiseOf = (row: Row): number | undefined => {
  if (!row.values.has(AGAIN)) return undefined;
  const ratio = ratioOf(row, AGAIN, 'haproxy');
  return Math.max(ratio, 1 / ratio) <= NOISE ? undefined : ratio;
};

/** Makes a row of samples. */
export const makeRow = <T>(
  head: Pick<Row, 'id' | 'title' | 'unit'>,
  samples: ReadonlyMap<string, readonly T[]>,
  value: (sample: T) => number,
): Row => ({
  ...head,
  values: new Map([...samples].map(([name, all]) => [name, all.map(value)])),
});

/** What a group is given. */
export interface Plan {
  readonly rounds: number;
  /** The peers that are installed. */
  readonly peers: ReadonlySet<string>;
  /** Another Node to measure connection churn on. */
  readonly otherNode: string | undefined;
  /** Says something while the bench runs. */
  readonly say: (line: string) => void;
}

/** One part of the bench. */
export type Group = (plan: Plan) => Promise<readonly Row[]>;

/** A row that tells how long event loops were blocked during a group. */
export const loopRow = (group: string, blocked: ReadonlyMap<string, number>): Row => ({
  id: `${group}/loop`,
  title: `${group}: longest block of the event loop`,
  unit: 'ms',
  values: new Map([...blocked].map(([name, ms]) => [name, [ms]])),
});
