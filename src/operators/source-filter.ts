/** `io.l5d.sourceFilter`: who may go to a name, by the client’s address. */
import { map } from 'rxjs';
import { object, oneOrMore, optional } from '../config/codec.ts';
import * as v from '../config/values.ts';
import { makeIpList } from '../server/ip-list.ts';
import { operatorKind } from './kind.ts';
import { refuse } from './operator.ts';
import { dst, ipOf, isFor } from './scope.ts';

const options = object('an object with the keys of io.l5d.sourceFilter', {
  allow: optional(
    oneOrMore(v.network),
    [],
    'Addresses and networks of clients that may; none given: all.',
  ),
  deny: optional(oneOrMore(v.network), [], 'Those that may not, also where `allow` has them.'),
  dst,
});

/** Time: that of the lists. */
export const sourceFilter = operatorKind(options, ({ allow, deny, ...config }) => {
  const isOurs = isFor(config.dst);
  const isDenied = makeIpList(deny);
  const isAllowed = allow.length === 0 ? () => true : makeIpList(allow);
  return map((envelope) => {
    if (!isOurs(envelope)) return envelope;
    const ip = ipOf(envelope);
    if (isDenied(ip)) return refuse(envelope, `deny has ${ip}`);
    return isAllowed(ip) ? envelope : refuse(envelope, `allow lacks ${ip}`);
  });
});
