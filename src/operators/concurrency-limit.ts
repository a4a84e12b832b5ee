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

/** Bounds: an entry for each connection that it let go on, until its end. */
export const concurrencyLimit = operatorKind(options, ({ max, ...config }, { ended$ }) => {
  const isOurs = isFor(config.dst);
  const key = keyOf(config.by);
  const keys = new Map<number, string>();
  const counts = new Map<string, number>();
  const leave = (id: number): void => {
    const who = keys.get(id);
    if (who === undefined) return;
    keys.delete(id);
    const left = (counts.get(who) ?? 1) - 1;
    if (left === 0) counts.delete(who);
    else counts.set(who, left);
  };
  const enter = (envelope: Envelope): Envelope | Refusal => {
    if (!isOurs(envelope)) return envelope;
    const who = key(envelope);
    const count = counts.get(who) ?? 0;
    if (count >= max) return refuse(envelope, `${max} at one time, ${config.by} ${who}`);
    counts.set(who, count + 1);
    keys.set(envelope.id, who);
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
