/** `io.l5d.concurrencyLimit`: so many connections at one time, for each source, name or server. */
import { filter, map, merge } from 'rxjs';
import { object, required } from '../config/codec.ts';
import * as v from '../config/values.ts';
import type { Envelope } from '../envelope.ts';
import { Table } from '../table.ts';
import { operatorKind } from './kind.ts';
import { type Ended, type Refusal, refuse } from './operator.ts';
import { by, dst, isFor, keyOf } from './scope.ts';

const options = object('an object with the keys of io.l5d.concurrencyLimit', {
  max: required(v.count, 'Most connections at one time, waiting or streaming.'),
  by,
  dst,
});

/** Connections that are counted together. */
interface Count {
  readonly who: string;
  number: number;
}

/** Bounds: an entry for each connection that it let go on, until its end. */
export const concurrencyLimit = operatorKind(options, ({ max, ...config }, { ended$ }) => {
  const isOurs = isFor(config.dst);
  const key = keyOf(config.by);
  const counts = new Table<string, Count>();
  const here = new Table<number, Count>();
  /** Counts an end, and lets nothing through. */
  const leave = (ended: Ended): ended is never => {
    const count = here.take(ended.id);
    if (count === undefined) return false;
    count.number -= 1;
    if (count.number === 0) counts.delete(count.who);
    return false;
  };
  const enter = (envelope: Envelope): Envelope | Refusal => {
    if (!isOurs(envelope)) return envelope;
    const who = key(envelope);
    let count = counts.get(who);
    if (count === undefined) {
      count = { who, number: 0 };
      counts.set(who, count);
    }
    if (count.number >= max) return refuse(envelope, `${max} at one time, ${config.by} ${who}`);
    count.number += 1;
    here.set(envelope.id, count);
    return envelope;
  };
  return (envelope$) => merge(ended$.pipe(filter(leave)), envelope$.pipe(map(enter)));
});
