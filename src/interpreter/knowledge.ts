/** What is known of a name, made from what its watch and its polls tell. Pure. */
import { type Answer, failure, type Good, type Settled, type Unsettled } from './answer.ts';
import type { Heard } from './heard.ts';
import { isSame } from './same.ts';

/** The state of the fold. */
export interface Knowledge<G extends Settled = Good> {
  /** The last thing that was settled; absent: nothing yet. */
  readonly good?: G | undefined;
  /** What was told since then that settles nothing. */
  readonly doubt?: 'failed' | 'pending' | undefined;
  /** The watch has spoken since the poll on its way was sent: that poll's answer is old. */
  readonly isOvertaken: boolean;
  /** The watch is down, and a poll was good since: the end of another attempt to watch is no news. */
  readonly isPolled: boolean;
  /** The watch has settled something on its present stream. */
  readonly isWatched: boolean;
  /** Answers have had flaws since the last one without. */
  readonly isFlawed: boolean;
  /** What this step has to tell the outside. */
  readonly news?: G | Unsettled | undefined;
  /** This step has heard what was known already. */
  readonly isConfirmed?: boolean | undefined;
  /** Flaws that begin with this step. */
  readonly flaws?: readonly string[] | undefined;
}

/** Where the fold begins. */
export const NOTHING: Knowledge<never> = {
  isOvertaken: false,
  isPolled: false,
  isWatched: false,
  isFlawed: false,
};

/** One piece of doubt tells all of it: what follows is no news until something is settled. */
const doubted = <G extends Settled>(known: Knowledge<G>, news: Unsettled): Knowledge<G> =>
  known.doubt === 'failed' || known.doubt === news.t ? known : { ...known, doubt: news.t, news };

const isUnsettled = (resolution: Settled | Unsettled): resolution is Unsettled =>
  resolution.t === 'failed' || resolution.t === 'pending';

const isSettled = ({ good, doubt }: Knowledge<Settled>): boolean =>
  good !== undefined && doubt === undefined;

/** Compares what is settled; `undefined` is like nothing. */
export type IsSame<G> = (one: G | undefined, other: G) => boolean;

class Learning<G extends Settled> {
  readonly #isSame: IsSame<G>;

  constructor(same: IsSame<G>) {
    this.#isSame = same;
  }

  readonly learn = (former: Knowledge<G>, heard: Heard<G>): Knowledge<G> => {
    const known = { ...former, news: undefined, isConfirmed: false, flaws: undefined };
    switch (heard.t) {
      case 'asked':
        return { ...known, isOvertaken: false };
      case 'answered': {
        if (known.isOvertaken) return known;
        const next = this.#take(known, heard.answer);
        return { ...next, isPolled: !next.isWatched && isSettled(next) };
      }
      case 'said': {
        const next = this.#take(known, heard.answer);
        return { ...next, isOvertaken: true, isPolled: false, isWatched: isSettled(next) };
      }
      case 'lost': {
        const next = known.isPolled ? known : this.#take(known, failure(heard.cause));
        return { ...next, isWatched: false };
      }
    }
  };

  #take(known: Knowledge<G>, { resolution, flaws }: Answer<G>): Knowledge<G> {
    if (isUnsettled(resolution)) return doubted(known, resolution);
    const isNews = known.doubt !== undefined || !this.#isSame(known.good, resolution);
    return {
      ...known,
      good: resolution,
      doubt: undefined,
      news: isNews ? resolution : undefined,
      isConfirmed: !isNews,
      isFlawed: flaws.length > 0,
      flaws: known.isFlawed || flaws.length === 0 ? undefined : flaws,
    };
  }
}

/**
 * Takes in one thing that was heard. The newest word counts, whoever said it: a line of the watch always, the
 * answer to a poll unless the watch has spoken since it was sent. The end of a watch is a failure, unless polls
 * have stood in for it. Equal news in a row are told once, and confirmed after that; what is settled again after a
 * doubt is news.
 */
export const learnBy = <G extends Settled>(
  same: IsSame<G>,
): ((former: Knowledge<G>, heard: Heard<G>) => Knowledge<G>) => new Learning(same).learn;

/** The same of the addresses of a name. */
export const learn = learnBy<Good>(isSame);
