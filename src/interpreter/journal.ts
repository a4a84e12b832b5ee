/** The log of one name's look-ups: what an operator must know, once per episode. */
import type { Env } from '../env.ts';
import type { Path } from '../path.ts';
import type { Settled, Unsettled } from './answer.ts';
import type { Knowledge } from './knowledge.ts';

/** What is looked up, and by which router, if it is one. */
export interface JournalName {
  readonly rt?: string;
  readonly dst: Path;
}

/** A name that fails and recovers over and over is told of once in so long. */
const QUIET_MS = 60_000;

/**
 * Logs what begins or ends with a step of the knowledge of a name. A failure that comes within the quiet time is
 * told after it, if it still stands by then. Made anew for each look-up of a name.
 */
export const makeJournal = (
  name: JournalName,
  { log, scheduler }: Env,
): ((known: Pick<Knowledge<Settled>, 'news' | 'flaws'>) => void) => {
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold: string | undefined;
  let isTold = false;
  const hear = (news: Settled | Unsettled): void => {
    if (news.t === 'pending') return;
    untold = news.t === 'failed' ? news.cause : undefined;
    if (isTold && news.t !== 'failed')
      log('info', 'the look-up of a name works again', { ...name });
    isTold = false;
  };
  return ({ news, flaws }) => {
    if (flaws !== undefined)
      log('warn', 'part of an answer cannot be used', { ...name, flaws: flaws.join('; ') });
    if (news !== undefined) hear(news);
    if (untold === undefined || scheduler.now() - toldAt < QUIET_MS) return;
    log('warn', 'the look-up of a name failed, what is known is kept', { ...name, cause: untold });
    toldAt = scheduler.now();
    untold = undefined;
    isTold = true;
  };
};
