/** `io.l5d.concurrencyLimit`: so many connections at one time, for each source, name or server. */
import { ignoreElements, map, merge, tap } from 'rxjs';
import { object, required } from '../config/codec.ts';
import * as v from '../config/values.ts';
import type { Envelope } from '../envelope.ts';
import { operatorKind } from './kind.ts';
import { type Refusal, refuse } from './operator.ts';
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
  const counts = new Map<string, Count>();
  const here = new Map<number, Count>();
  const leave = (id: number): void => {
    const count = here.get(id);
    if (count === undefined) return;
    here.delete(id);
    count.number -= 1;
    if (count.number === 0) counts.delete(count.who);
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
  return (envelope$) =>
    merge(
      ended$.pipe(
        tap(({ id }) => leave(id)),
        ignoreElements(),
      ),
      envelope$.pipe(map(enter)),
    );
});
