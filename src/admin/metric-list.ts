/** Every metric as data: what is counted, under which labels, and what it means. Pure. */

/** A `stat` is a cumulative histogram. */
export type MetricType = 'counter' | 'gauge' | 'stat';

/**
 * How what several workers see becomes one number: shares of a whole add up; of what each sees alike, such as endpoints,
 * it is the most that one of them sees; and some the primary itself knows.
 */
export type Among = 'sum' | 'most' | 'primary';

/** One metric; it has a series for each set of label values. */
export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  /** In alphabetical order. */
  readonly labels: readonly string[];
  readonly help: string;
  /** Of a gauge; what is counted adds up. */
  readonly among?: Among;
}

const DST = ['dst', 'rt'] as const;
const SRV = ['rt', 'srv_addr'] as const;

const metric =
  (type: MetricType) =>
  (name: string, labels: readonly string[], help: string): Metric => ({
    name: `l5d:${name}`,
    type,
    labels,
    help,
  });
const counter = metric('counter');
const gauge = (name: string, labels: readonly string[], among: Among, help: string): Metric => ({
  ...metric('gauge')(name, labels, help),
  among,
});
const stat = metric('stat');

/** Names and labels of linkerd-tcp 0.1.1, then those that it did not have. */
export const METRICS: readonly Metric[] = [
  counter('route_create', ['rt'], 'Names that were bound.'),
  counter('route_found', ['rt'], 'Connections whose name was bound already.'),
  counter('route_error', ['rt'], 'Connections that no name could be bound for.'),
  stat('route_time_us', ['rt'], 'Time to find or make the balancer of a connection.'),
  counter('resolver:success_count', ['namespace', 'rt'], 'Look-ups that gave an answer.'),
  counter('resolver:failure_count', ['namespace', 'rt'], 'Look-ups that failed.'),
  stat('resolver:request_latency_ms', ['namespace', 'rt'], 'Time of look-ups.'),
  gauge('balancer:endpoint:available', DST, 'most', 'Endpoints that take connections.'),
  gauge(
    'balancer:endpoint:failed',
    DST,
    'most',
    'Endpoints that sit out a penalty, or are being probed.',
  ),
  gauge(
    'balancer:endpoint:retired',
    DST,
    'most',
    'Endpoints that left the name and still have streams.',
  ),
  gauge('balancer:connection:pending', DST, 'sum', 'Dials in progress.'),
  gauge('balancer:connection:open', DST, 'sum', 'Connections to endpoints, spares included.'),
  gauge('balancer:waiters', DST, 'sum', 'Connections that wait for an endpoint.'),
  counter('balancer:connection:attempts', DST, 'Dials begun.'),
  counter('balancer:connection:connects', DST, 'Dials that succeeded.'),
  counter(
    'balancer:connection:failure',
    ['cause', ...DST],
    'Dials that failed; cause is timeout, refused or other.',
  ),
  counter('balancer:unavailable', DST, 'Connections refused because no endpoint could be had.'),
  stat('balancer:connection:latency_us', DST, 'Time of dials that succeeded.'),
  stat('balancer:connection:duration_ms', DST, 'Life of streams.'),
  stat(
    'balancer:poll_time_us',
    DST,
    'From a connection’s arrival to its dispatch, in µs; 0.1.1 timed a poll, and there is none any more.',
  ),
  counter('srv:accepts', SRV, 'Connections accepted.'),
  counter('srv:closes', SRV, 'Routed connections that have ended.'),
  counter(
    'srv:failures',
    SRV,
    'Connections that ended for another reason than end, and those turned away before they were routed.',
  ),
  gauge('srv:active', SRV, 'sum', 'Connections held.'),
  gauge('srv:waiters', SRV, 'sum', 'Of these, not yet with an endpoint.'),
  counter(
    'srv:connect:failure',
    ['cause', ...SRV],
    'Connections that reached no endpoint; cause is timeout or other.',
  ),
  stat('srv:connect:latency_us', SRV, 'From acceptance to the endpoint.'),
  counter(
    'srv:stream:failure',
    ['cause', ...SRV],
    'Streams that were reset or cut; cause is timeout or other.',
  ),
  stat('srv:stream:duration_ms', SRV, 'Life of streams.'),
  counter('srv:stream:rx_bytes', SRV, 'Bytes read from clients.'),
  counter('srv:stream:tx_bytes', SRV, 'Bytes written to clients.'),
  stat('srv:stream:connection_rx_bytes', SRV, 'Bytes read from a client, by connection.'),
  stat('srv:stream:connection_tx_bytes', SRV, 'Bytes written to a client, by connection.'),
  stat('srv:tls:handshake_us', SRV, 'Time of TLS handshakes with clients.'),
  counter('srv:tls:resumed', SRV, 'Handshakes that went on from an earlier session.'),
  counter(
    'srv:tls:failure',
    ['cause', ...SRV],
    'TLS handshakes with clients that failed; cause is timeout, closed, no-certificate, certificate, name, parameters or garbage.',
  ),
  counter(
    'srv:peeked',
    ['found', ...SRV],
    'Connections whose ClientHello was looked for; found is hello, plain, late or ended.',
  ),
  counter('srv:close', ['reason', ...SRV], 'Routed connections that have ended, by close reason.'),
  counter(
    'srv:rejected',
    ['reason', ...SRV],
    'Connections turned away before they were routed, by close reason.',
  ),
  gauge('router:names', ['rt'], 'primary', 'Names that are bound.'),
  counter('operator:failures', ['rt'], 'Operators that erred or completed, and were begun anew.'),
  counter('operator:strays', ['rt'], 'What operators gave that they did not have: dropped.'),
  gauge(
    'balancer:branch:available',
    DST,
    'most',
    'Branches of a weighted union that take connections.',
  ),
  gauge(
    'balancer:branch:failed',
    DST,
    'most',
    'Branches of a weighted union with nobody who takes connections; the others have their share.',
  ),
  gauge(
    'balancer:resolution_age_seconds',
    DST,
    'most',
    'Time since the last good answer of the interpreter.',
  ),
  gauge(
    'buffered_bytes',
    [],
    'sum',
    'Bytes that were read and not yet written, and the memory that busy streams read into.',
  ),
  gauge(
    'worker:active',
    ['worker'],
    'sum',
    'Connections that a worker holds; the system decides who takes one.',
  ),
  counter('worker:restarts', [], 'Workers that have ended and were begun again.'),
  gauge('namerd:watches', [], 'sum', 'Of `linkerd-tcp namerd`: watches that are open.'),
  counter('namerd:requests', [], 'Of `linkerd-tcp namerd`: requests of its API.'),
  counter(
    'namerd:refused',
    [],
    'Of `linkerd-tcp namerd`: watches beyond `maxWatches`, and readers that were let go.',
  ),
  gauge('recorder:bytes', [], 'sum', 'Memory that recordings take.'),
  gauge('recorder:seconds', [], 'most', 'How far recordings go back.'),
  counter(
    'recorder:overflows',
    [],
    'Recordings that were let go whole, since `recorder.maxBytes` do not hold what is known of all names.',
  ),
  counter('log:dropped', [], 'Log lines that were lost because nobody read them.'),
];

/** Upper bounds of the buckets of a stat, by the unit at the end of its name. */
export const bucketsOf = (name: string): readonly number[] => {
  if (name.endsWith('_us'))
    return [1, 10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7];
  if (name.endsWith('_ms')) return [1, 3, 10, 30, 100, 300, 1e3, 1e4, 6e4, 6e5, 3.6e6, 8.64e7];
  return [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
};

const TYPES = { counter: 'counter', gauge: 'gauge', stat: 'histogram' } as const;

/** The list as a Markdown table, without a line break at the end. */
export const metricsMarkdown = (): string =>
  [
    '| name | type | labels | meaning |',
    '| --- | --- | --- | --- |',
    ...METRICS.map(
      ({ name, type, labels, help }) =>
        `| \`${name}\` | ${TYPES[type]} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
    ),
  ].join('\n');
