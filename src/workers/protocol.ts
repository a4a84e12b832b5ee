/** What the primary and its workers say to each other. Plain data: it is cloned on its way. */
import type { Snapshot } from '../admin/snapshot.ts';
import type { Config } from '../config/config.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import type { Path } from '../path.ts';
import type { RouterView } from '../view.ts';

/** A name of a router. */
export interface NameKey {
  readonly rt: string;
  readonly dst: Path;
}

/** To a worker. */
export type Order =
  /** Bind what this needs, and answer `prepared`. */
  | { readonly t: 'prepare'; readonly ask: number; readonly config: Config }
  /** What was prepared last takes effect. */
  | { readonly t: 'commit' }
  /** What was prepared last does not. */
  | { readonly t: 'cancel' }
  /** What a name is now; unasked for a worker that begins. */
  | ({ readonly t: 'resolved'; readonly resolution: Resolution } & NameKey)
  /** Answer `counted`. */
  | { readonly t: 'count'; readonly ask: number }
  /** Answer `viewed`. */
  | { readonly t: 'view'; readonly ask: number; readonly rt: string }
  /** Answer `recorded` with the first piece of what is recorded, or with the next one; it is told as that of `core`. */
  | {
      readonly t: 'record';
      readonly ask: number;
      readonly isFirst: boolean;
      readonly core: number;
    }
  /** Nobody wants the rest of what is recorded. */
  | { readonly t: 'unrecord' }
  /** Stop accepting, and end with the last stream. */
  | { readonly t: 'drain' }
  /** Cut what still streams. */
  | { readonly t: 'cut' };

/** An answer to an order with the same `ask`. */
export type Reply =
  | { readonly t: 'prepared'; readonly ask: number; readonly errors: readonly string[] }
  | { readonly t: 'counted'; readonly ask: number; readonly snapshot: Snapshot }
  /** No `piece`: there is no more; `isLost`: nor was there anything to go on with. */
  | {
      readonly t: 'recorded';
      readonly ask: number;
      readonly piece: string | undefined;
      readonly isLost: boolean;
    }
  | { readonly t: 'viewed'; readonly ask: number; readonly view: RouterView | undefined };

/** From a worker. */
export type Word =
  /** It listens to orders. */
  | { readonly t: 'ready' }
  | Reply
  /** What it has counted, unasked. */
  | { readonly t: 'counts'; readonly snapshot: Snapshot }
  /** It wants to know what a name is, until `unwatch`. */
  | ({ readonly t: 'watch' | 'unwatch' } & NameKey);

/** One string for a name of a router. */
export const keyOfName = ({ rt, dst }: NameKey): string => `${rt} ${dst}`;
