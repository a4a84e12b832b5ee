/** The whole file format, key by key; the README’s table is made from it. Pure. */
import { LEVELS } from '../log.ts';
import {
  absent,
  list,
  MapCodec,
  type Of,
  object,
  optional,
  required,
  TaggedCodec,
} from './codec.ts';
import { type FileKinds, KindedCodec, NO_MEMBERS, OpenCodec } from './kinds.ts';
import { clientOf } from './schema-client.ts';
import { peek, proxyProtocol, rule, sources } from './schema-identify.ts';
import { namersOf } from './schema-namers.ts';
import { serverTls } from './schema-tls.ts';
import * as v from './values.ts';

const admin = object('an object with the keys of admin', {
  ip: optional(
    v.ip,
    '127.0.0.1',
    'Address of the admin server. Wider than loopback warns: it has no authentication.',
  ),
  port: optional(v.anyPort, 9989, 'Port of the admin server; 0 takes a free one.'),
  graceSecs: optional(v.secondsOrNone, 10, 'How long streams may go on after a shutdown began.'),
  hosts: optional(
    list(v.text),
    [],
    'Host names, beside IPs and `localhost`, under which it may be addressed.',
  ),
  maxNameSeries: optional(
    v.countOrNone,
    500,
    'Most names with metrics of their own; the rest share `dst="…"`.',
  ),
  metricsIntervalSecs: absent(
    v.seconds,
    'none',
    'Accepted from 0.1.1, without effect: metrics are live.',
  ),
});

/** The log of a process. */
export const log = object('an object with the keys of log', {
  level: optional(v.word(...LEVELS), 'info', 'Least important level that is written.'),
  format: optional(v.word('text', 'json'), 'text', 'For people, or one JSON object a line.'),
});

const recorder = object('an object with the keys of recorder', {
  minutes: optional(
    v.number('a number of minutes, at least 0.1', 0.1, 1440),
    10,
    'How far back it goes.',
  ),
  maxBytes: optional(
    v.int('a number of bytes, at least 1048576', 1_048_576),
    67_108_864,
    'Most memory that it takes; with more going on it goes less far back. While it is told to somebody, it may take as much again. Of workers each has its share.',
  ),
  hashAddresses: optional(
    v.flag,
    false,
    'Replaces the addresses of clients by hashes, not those that stand in names and notes; other rules of `identify` cannot be tried on it then.',
  ),
});

const serverOf = ({ identifiers }: FileKinds) =>
  object('an object with the keys of a server', {
    port: required(v.anyPort, 'Port to listen on; 0 takes a free one.'),
    ip: optional(v.ip, '127.0.0.1', 'Address to listen on.'),
    dstName: absent(v.path, '`identify`', 'Name that all its connections are routed to.'),
    identify: absent(
      list(new KindedCodec(rule, new OpenCodec(NO_MEMBERS, { others: identifiers, own: {} }))),
      '`dstName`',
      'Rules by which each connection is routed; the first that holds decides. None: refused.',
    ),
    sources: absent(sources, 'all', 'Who may connect.'),
    proxyProtocol: absent(proxyProtocol, 'none', 'PROXY headers (v1 and v2) of proxies in front.'),
    peek: absent(
      peek,
      'none',
      'Reads the ClientHello, and passes it on: TLS is not terminated. Not where the server speaks first.',
    ),
    connectTimeoutMs: optional(
      v.millis,
      10_000,
      'Accept to endpoint reached, handshakes included.',
    ),
    connectionLifetimeSecs: absent(v.seconds, 'no limit', 'Longest life of a stream.'),
    connectionLifetimeJitterPercent: optional(
      v.number('a number from 0 to 100', 0, 100),
      10,
      'Each lifetime is longer by up to this share of it.',
    ),
    idleTimeoutMs: absent(v.millis, 'no limit', 'Longest time without a byte in either direction.'),
    halfCloseTimeoutMs: optional(
      v.millis,
      60_000,
      'Longest silence of one direction after the other has ended.',
    ),
    resetLingerMs: optional(
      v.millisOrNone,
      100,
      'After a reset: how long bytes given to the system count as undelivered.',
    ),
    maxConcurrency: optional(v.count, 100_000, 'Most connections at one time; more are reset.'),
    tls: absent(serverTls, 'plain TCP', 'Terminates TLS.'),
  });

const retry = object('an object with the keys of retry', {
  baseSeconds: optional(
    v.seconds,
    5,
    'First delay after a failed look-up; it doubles, with jitter.',
  ),
  maxSeconds: optional(v.seconds, 600, 'Longest delay.'),
});

const namerdHttp = object('an object with the keys of io.l5d.namerd.http', {
  baseUrl: required(v.baseUrl, 'Base URL of namerd’s HTTP API, http or https.'),
  namespace: required(v.text, 'Namespace of its dtab.'),
  periodSecs: required(v.seconds, 'Between polls; beside a watch, between safety polls.'),
  watch: optional(v.flag, true, 'Follow changes by a watch stream; `false`: only poll.'),
  weightedUnions: optional(
    v.flag,
    true,
    'Divides connections among the branches of a union; `false`: namerd draws one of them per look-up.',
  ),
  maxWatches: optional(
    v.count,
    1000,
    'Most watches at one time, two for a name (one without `weightedUnions`); further names are polled in turn.',
  ),
  retry: optional(retry, { baseSeconds: 5, maxSeconds: 600 }, 'Delays after failures.'),
  experimental: absent(v.flag, 'none', 'Accepted from linkerd 1.x, without effect.'),
});

const fixed = object('an object with the keys of static', {
  names: required(
    new MapCodec('a map of name to addresses', list(v.endpoint)),
    'Addresses by name, such as `/svc/web: [127.0.0.1:80, "127.0.0.1:81 * 0.5"]`.',
  ),
});

/** The interpreters that come along. */
export const interpreter = new TaggedCodec('an interpreter', {
  default: object('an object with the keys of default', {}),
  'io.l5d.namerd.http': namerdHttp,
  static: fixed,
});
/** An interpreter as it stands in the file. */
export type RawInterpreter = Of<typeof interpreter>;

const operatorOwn = {
  shadow: optional(v.flag, false, 'It does nothing, and what it would have done is logged.'),
};

const bindingCache = object('an object with the keys of bindingCache', {
  paths: optional(v.count, 10_000, 'Most names at one time.'),
  idleTtlSecs: optional(v.seconds, 600, 'A name unused for so long is let go.'),
});

const routerOf = (kinds: FileKinds) =>
  object('an object with the keys of a router', {
    label: required(v.text, 'Name of the router, unique; the metric label `rt`.'),
    interpreter: optional(
      new OpenCodec(interpreter, { others: kinds.interpreters, own: {} }),
      { kind: 'default' },
      'How names become addresses; `default`: by `dtab` and the `namers` of the file.',
    ),
    dtab: absent(
      v.rules,
      'no rule',
      'Rules by which names become other names, the last one first: `/svc => /#/io.l5d.fs;`',
    ),
    servers: required(list(serverOf(kinds)), 'Where it listens.'),
    operators: optional(
      list(new OpenCodec(NO_MEMBERS, { others: kinds.operators, own: operatorOwn })),
      [],
      'What each connection goes through before its name is looked up, first to last.',
    ),
    client: absent(clientOf(kinds.loadBalancers), 'see below', 'How endpoints are reached.'),
    bindingCache: optional(
      bindingCache,
      { paths: 10_000, idleTtlSecs: 600 },
      'How many names are kept, and how long.',
    ),
  });

/** The modules that the file names, which decide on the rest of its format. */
export const pluginList = list(v.text);

/** The file, with what plugins add to it. */
export const fileOf = (kinds: FileKinds) =>
  object('an object with admin, routers, …', {
    admin: absent(admin, 'see below', 'The admin server.'),
    log: absent(log, 'see below', 'The log, on standard error.'),
    workers: optional(
      v.workers,
      0,
      'Processes that serve: 0: this one alone; `auto`: one per CPU. Takes effect at the start.',
    ),
    bufferSizeBytes: optional(
      v.int('a number of bytes from 1024 to 16777216', 1024, 16_777_216),
      1_048_576,
      'Largest single read: what a busy direction of a stream reads at once, 1 MiB at most, and holds unwritten.',
    ),
    maxBufferedBytes: optional(
      v.int('a number of bytes, at least 1048576', 1_048_576),
      268_435_456,
      'Most bytes that all streams hold, unwritten or as read buffers; from three quarters of it on reads shrink to 16 KiB, and at the whole new connections are reset.',
    ),
    plugins: optional(
      pluginList,
      [],
      'Modules with operators, namers, interpreters, identifiers and load balancers of your own: files beside this one, or packages.',
    ),
    recorder: absent(
      recorder,
      'off',
      'Keeps the last minutes of what balancers were told and decided, for `linkerd-tcp replay`. Never payload.',
    ),
    namers: optional(namersOf(kinds.namers), [], 'Where the names behind `/#` come from.'),
    routers: required(list(routerOf(kinds)), 'The routers.'),
  });

/** The file as it stands, defaults filled in. */
export type RawFile = Of<ReturnType<typeof fileOf>>;
/** A router as it stands in the file. */
export type RawRouter = Of<ReturnType<typeof routerOf>>;
/** A server as it stands in the file. */
export type RawServer = Of<ReturnType<typeof serverOf>>;
