/** Dials with a clock that stands until the test moves it, and what they came to. */
import { makeAddress } from '../../src/address.ts';
import { type ConnectOutcome, connect, type Dialing } from '../../src/connector/connect.ts';
import { Descriptors } from '../../src/server/descriptors.ts';
import type { Sockets } from '../../src/socket/sockets.ts';
import { makeTimers } from '../../src/timers.ts';
import { within } from './eventually.ts';
import { makeHandClock } from './hand-clock.ts';
import type { Scope } from './process.ts';
import { HANDLES } from './sockets.ts';

/** What all dials of a test share. */
export const makeDialer = (
  scope: Scope,
  {
    limit = Number.POSITIVE_INFINITY,
    sockets = HANDLES,
  }: { readonly limit?: number; readonly sockets?: Sockets } = {},
) => {
  const clock = makeHandClock();
  const timers = makeTimers(clock.scheduler);
  const descriptors = new Descriptors(limit);
  const begin = (port: number, policy: Partial<Dialing['policy']> = {}, ip = '127.0.0.1') => {
    const told: ConnectOutcome[] = [];
    let settle: (outcome: ConnectOutcome) => void = () => undefined;
    const first = new Promise<ConnectOutcome>((resolve) => {
      settle = resolve;
    });
    const done = (outcome: ConnectOutcome): void => {
      told.push(outcome);
      settle(outcome);
    };
    const dialing = {
      address: makeAddress(ip, port),
      policy: { connectTimeoutMs: 5000, ...policy },
      done,
    };
    const drop = connect(dialing, { sockets, timers, descriptors });
    scope.after(() => {
      drop();
      for (const outcome of told) if (outcome.t === 'connected') outcome.socket.destroy();
    });
    return { told, drop, outcome: () => within('an outcome', first) };
  };
  return { clock, timers, descriptors, begin };
};
