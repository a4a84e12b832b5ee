/** Dials with a clock that stands until the test moves it, and what they came to. */
import { makeAddress } from '../../src/address.ts';
import type { ClientTlsPolicy } from '../../src/config/config.ts';
import { type ConnectOutcome, connect, type Dialing } from '../../src/connector/connect.ts';
import { Descriptors } from '../../src/server/descriptors.ts';
import type { Sockets } from '../../src/socket/sockets.ts';
import { makeTimers } from '../../src/timers.ts';
import { within } from './eventually.ts';
import { makeHandClock } from './hand-clock.ts';
import type { Scope } from './process.ts';
import { HANDLES } from './sockets.ts';
import { clientTls } from './tls-settings.ts';

/** A policy of which a test sets what it cares for; the same object of TLS is the same policy. */
type DialPolicy = Omit<Partial<Dialing['policy']>, 'tls'> & {
  readonly tls?: Partial<ClientTlsPolicy>;
  /** Instead of that of `tls`. */
  readonly dnsName?: string;
  readonly preamble?: Dialing['preamble'];
};

const policies = new WeakMap<object, ClientTlsPolicy>();

const policyOf = (tls: Partial<ClientTlsPolicy>): ClientTlsPolicy => {
  const policy = policies.get(tls) ?? clientTls(tls);
  policies.set(tls, policy);
  return policy;
};

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
  const begin = (
    port: number,
    { tls, dnsName = tls?.dnsName, preamble, ...policy }: DialPolicy = {},
    ip = '127.0.0.1',
  ) => {
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
      policy: {
        connectTimeoutMs: 5000,
        ...policy,
        ...(tls === undefined ? {} : { tls: policyOf(tls) }),
      },
      serverName: dnsName,
      preamble,
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
