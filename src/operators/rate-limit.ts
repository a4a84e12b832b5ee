/** `io.l5d.rateLimit`: so many connections a second, by a token bucket for each source, name or server. */
import { map } from 'rxjs';
import { absent, object, optional, required } from '../config/codec.ts';
import * as v from '../config/values.ts';
import { operatorKind } from './kind.ts';
import { refuse } from './operator.ts';
import { RecentKeys } from './recent-keys.ts';
import { by, dst, isFor, keyOf } from './scope.ts';

const options = object('an object with the keys of io.l5d.rateLimit', {
  perSecond: required(
    v.number('a number from 0.001 to 1000000', 0.001, 1e6),
    'Connections a second that go on, in the long run.',
  ),
  burst: absent(
    v.count,
    '`perSecond`, 1 at least',
    'Connections that may come at once after a rest.',
  ),
  by,
  dst,
  maxKeys: optional(
    v.count,
    10_000,
    'Most sources, names or servers that are told apart; the one that has been quiet longest is forgotten, and starts anew.',
  ),
});

/** Bounds: `maxKeys` buckets. Time: O(1). */
export const rateLimit = operatorKind(options, (config, { now }) => {
  const { perSecond, maxKeys } = config;
  const burst = config.burst ?? Math.max(1, Math.ceil(perSecond));
  const isOurs = isFor(config.dst);
  const key = keyOf(config.by);
  // By slot: what was left in a bucket, and when.
  const tokens: number[] = [];
  const times: number[] = [];
  const keys = new RecentKeys(maxKeys, (slot) => {
    tokens[slot] = burst;
    times[slot] = now();
  });
  const take = (who: string): boolean => {
    const slot = keys.slotOf(who);
    const at = now();
    const refilled = ((at - (times[slot] ?? at)) * perSecond) / 1000;
    const there = Math.min(burst, (tokens[slot] ?? burst) + refilled);
    const isEnough = there >= 1;
    tokens[slot] = isEnough ? there - 1 : there;
    times[slot] = at;
    return isEnough;
  };
  return map((envelope) => {
    if (!isOurs(envelope)) return envelope;
    const who = key(envelope);
    return take(who) ? envelope : refuse(envelope, `${perSecond} a second, ${config.by} ${who}`);
  });
});
