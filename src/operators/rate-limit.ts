/** `io.l5d.rateLimit`: so many connections a second, by a token bucket for each source, name or server. */
import { map } from 'rxjs';
import { absent, object, optional, required } from '../config/codec.ts';
import * as v from '../config/values.ts';
import { operatorKind } from './kind.ts';
import { refuse } from './operator.ts';
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

/** What is left in a bucket, as it was at a time. */
interface Bucket {
  tokens: number;
  at: number;
}

/** Bounds: `maxKeys` buckets. Time: O(1). */
export const rateLimit = operatorKind(options, (config, { now }) => {
  const { perSecond, maxKeys } = config;
  const burst = config.burst ?? Math.max(1, Math.ceil(perSecond));
  const isOurs = isFor(config.dst);
  const key = keyOf(config.by);
  // In the order in which they were used last.
  const buckets = new Map<string, Bucket>();
  // Stands before the oldest at all times, since who was before it is forgotten or has gone to the end. Another one, made for each
  // that is to be forgotten, would pass over all gaps that those before have left.
  const oldest = buckets.keys();
  const take = (who: string): boolean => {
    const at = now();
    const bucket = buckets.get(who) ?? { tokens: burst, at };
    buckets.delete(who);
    if (buckets.size >= maxKeys) buckets.delete(oldest.next().value ?? '');
    buckets.set(who, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) * perSecond) / 1000);
    bucket.at = at;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  };
  return map((envelope) => {
    if (!isOurs(envelope)) return envelope;
    const who = key(envelope);
    return take(who) ? envelope : refuse(envelope, `${perSecond} a second, ${config.by} ${who}`);
  });
});
