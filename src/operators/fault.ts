/** `io.l5d.fault`: makes some connections late or refuses them, to see what clients make of it. For staging. */
import { map, mergeMap, of, timer } from 'rxjs';
import { object, optional } from '../config/codec.ts';
import * as v from '../config/values.ts';
import type { Envelope } from '../envelope.ts';
import { operatorKind } from './kind.ts';
import { refuse } from './operator.ts';
import { dst, isFor, noted } from './scope.ts';

const percent = v.number('a number from 0 to 100', 0, 100);

const options = object('an object with the keys of io.l5d.fault', {
  refusePercent: optional(percent, 0, 'Part of the connections that is refused.'),
  delayPercent: optional(percent, 0, 'Part of the others that is held up.'),
  delayMs: optional(v.millis, 100, 'For how long.'),
  dst,
});

/** Draws twice for each connection that it is for, so that one part does not depend on the other. */
export const fault = operatorKind(options, (config, { random, scheduler }) => {
  const { refusePercent, delayPercent, delayMs } = config;
  const isOurs = isFor(config.dst);
  return mergeMap((envelope: Envelope) => {
    if (!isOurs(envelope)) return of(envelope);
    const [isRefused, isLate] = [random() * 100 < refusePercent, random() * 100 < delayPercent];
    if (isRefused) return of(refuse(envelope, `${refusePercent} % are`));
    if (!isLate) return of(envelope);
    const notes = noted(envelope, 'fault', `${delayMs} ms late`);
    return timer(delayMs, scheduler).pipe(map(() => ({ ...envelope, notes })));
  });
});
