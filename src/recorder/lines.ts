/** A recording as text: one JSON object a line, NDJSON. Pure. */
import * as t from 'io-ts';
import { count, frozenState, limit, time } from '../balancer/frozen.ts';
import { frozenCommand, frozenEvent } from '../balancer/frozen-messages.ts';
import type { Envelope } from '../envelope.ts';

/** The version of the format: it goes up when an older reader could no longer read it. */
export const FORMAT = 1;

/** The first line: of what this is a recording. */
export const head = t.readonly(
  t.type({
    t: t.literal('recording'),
    format: t.number,
    /** The version of the program that made it. */
    program: t.string,
    /** When it was told, in ms since 1970. */
    wallAt: t.number,
    /** Addresses of clients were replaced by hashes. */
    isHashed: t.boolean,
    /** The configuration in force, without its secrets. */
    config: t.unknown,
  }),
);

/** From here on the lines are of another process; `now` is its clock when it told them, in ms. */
const core = t.readonly(t.type({ t: t.literal('core'), core: count, now: time }));

/** A new piece of memory began; what names knew follows in `checkpoint`s, while events go on. */
const segment = t.readonly(t.type({ t: t.literal('segment'), at: time }));

/** All that a balancer knows; `name` stands for it in the lines that follow. */
const checkpoint = t.readonly(
  t.type({
    t: t.literal('checkpoint'),
    name: count,
    rt: t.string,
    dst: t.string,
    state: frozenState,
  }),
);

/** An event of a balancer, and what it decided. */
const step = t.readonly(
  t.type({
    t: t.literal('step'),
    name: count,
    event: frozenEvent,
    commands: t.readonlyArray(frozenCommand),
  }),
);

/** A balancer has ended. */
const gone = t.readonly(t.type({ t: t.literal('gone'), name: count }));

const cert = t.intersection([
  t.type({
    subject: t.string,
    dns: t.array(t.string),
    uris: t.array(t.string),
    ips: t.array(t.string),
    fingerprint: t.string,
  }),
  t.partial({ cn: t.string, spiffe: t.string }),
]);

/** A connection as it left the operators. */
const envelope = t.readonly(
  t.intersection([
    t.type({
      t: t.literal('envelope'),
      id: count,
      rt: t.string,
      srv: t.string,
      src: t.string,
      dst: t.string,
      rule: t.string,
      at: time,
      deadline: limit,
    }),
    t.partial({
      notes: t.record(t.string, t.string),
      peer: t.string,
      local: t.string,
      sni: t.string,
      alpn: t.string,
      tls: t.string,
      cert,
    }),
  ]),
);

/** The process ended while it was telling: what follows of it is missing. */
const cut = t.readonly(t.type({ t: t.literal('cut'), core: count }));

/** The last line: so many came before it, the head among them. */
const end = t.readonly(t.type({ t: t.literal('end'), lines: count }));

/** Any line but the first. */
export const line = t.union([core, segment, checkpoint, step, gone, envelope, cut, end]);

/** The first line. */
export type Head = t.TypeOf<typeof head>;
/** Any line but the first. */
export type Line = t.TypeOf<typeof line>;
/** A line with what happened to a connection before its name had a balancer. */
export type EnvelopeLine = Extract<Line, { readonly t: 'envelope' }>;

/** What of an envelope not every one has. */
export const EXTRAS = [
  'notes',
  'peer',
  'local',
  'sni',
  'alpn',
  'tls',
  'cert',
] as const satisfies readonly (keyof Envelope)[];
