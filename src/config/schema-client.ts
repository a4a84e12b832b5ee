/** The part of the file format that says how endpoints are reached. Pure. */
import { absent, list, type Of, object, optional, required, TaggedCodec } from './codec.ts';
import { OpenCodec, type OptionsByKind } from './kinds.ts';
import { MOST_SPARES } from './policy.ts';
import { tlsClient } from './schema-tls.ts';
import * as v from './values.ts';

const failFast = object('an object with the keys of failFast', {
  maxConsecutiveFailures: absent(
    v.countOrNone,
    '`5`',
    'Failures in a row that put an endpoint aside; 0: none does.',
  ),
  failurePenaltySecs: absent(
    v.seconds,
    '`60`',
    'First penalty; it doubles, up to 16 times, with jitter.',
  ),
});

const requeueBudget = object('an object with the keys of requeueBudget', {
  minRetriesPerSec: absent(v.countOrNone, '`10`', 'Retries per second that are always allowed.'),
  percentCanRetry: absent(
    v.number('a share from 0 to 1', 0, 1),
    '`0.2`',
    'Further retries, as a share of connections.',
  ),
  ttlSecs: absent(
    v.int('a whole number of seconds from 1 to 60', 1, 60),
    '`10`',
    'Window of the budget.',
  ),
});

const load = absent(
  v.word('connections', 'throughput', 'latency'),
  '`connections`',
  'What is balanced: open connections, bytes per second, or connections times latency.',
);

/** The load balancer that comes along. */
export const p2c = new TaggedCodec(
  'an object with the keys of loadBalancer',
  { p2c: object('an object with the keys of p2c', { load }) },
  'p2c',
);

const loadBalancerOf = (others: OptionsByKind) => new OpenCodec(p2c, { others, own: { load } });

const clientSession = object('an object with idleTimeMs', {
  idleTimeMs: absent(v.millis, 'no limit', 'A spare unused for so long is closed and replaced.'),
});

const settingsOf = (balancers: OptionsByKind) => ({
  connectTimeoutMs: absent(v.millis, 'no limit', 'Longest attempt at one endpoint, TCP and TLS.'),
  maxWaiters: absent(v.count, '`1000000`', 'Most connections of a name waiting for an endpoint.'),
  minConnections: absent(
    v.int('a whole number from 0 to 10000', 0, MOST_SPARES),
    '`0`',
    'Spare connections kept open ahead of need.',
  ),
  emptyWaitMs: absent(
    v.millisOrNone,
    '`1000`',
    'Longest wait for a name that has no endpoint to offer.',
  ),
  loadBalancer: absent(
    loadBalancerOf(balancers),
    'see below',
    'How one of several endpoints is chosen; `p2c`: power of two choices, by weight.',
  ),
  failFast: absent(failFast, 'see below', 'When an endpoint is put aside.'),
  requeueBudget: absent(requeueBudget, 'see below', 'How many retries a name may spend.'),
  clientSession: absent(clientSession, 'see below', 'Limits of spares.'),
  tls: absent(tlsClient, 'plain TCP', 'TLS to the endpoints.'),
  proxyProtocol: absent(
    v.word('v1', 'v2'),
    'none',
    'Tells endpoints by a PROXY header, before TLS, whom a connection is for; without spares.',
  ),
});

type Settings = ReturnType<typeof settingsOf>;

const blockOf = (settings: Settings) =>
  object('an object with prefix and client settings', {
    prefix: required(
      v.prefix,
      'Names that the settings are for, by whole segments; `*` and `{captures}`.',
    ),
    ...settings,
  });
/** A client block as it stands in the file. */
export type RawBlock = Of<ReturnType<typeof blockOf>>;

const globalClientOf = (settings: Settings) =>
  object('an object with the keys of io.l5d.global', {
    prefix: optional(v.prefix, '/', 'Names that the settings are for.'),
    ...settings,
  });

const staticClientOf = (settings: Settings) =>
  object('an object with configs', {
    configs: required(list(blockOf(settings)), 'Settings by prefix; later ones win, key by key.'),
  });

/** The client of a router, with the load balancers of plugins. */
export const clientOf = (balancers: OptionsByKind) => {
  const settings = settingsOf(balancers);
  return new TaggedCodec(
    'an object with the keys of client',
    { 'io.l5d.global': globalClientOf(settings), 'io.l5d.static': staticClientOf(settings) },
    'io.l5d.global',
  );
};
/** The client of a router as it stands in the file. */
export type RawClient = Of<ReturnType<typeof clientOf>>;
