/** What goes into a balancer and what comes out, as a recording holds it. Pure. */
import * as t from 'io-ts';
import { CLOSE_REASONS, type CloseReason } from '../close-reason.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import { freezePolicy, freezeSet, freezeUnion } from './freeze.ts';
import { count, frozenPolicy, frozenSet, frozenUnion, limit, time } from './frozen.ts';
import type { Command, Event } from './messages.ts';
import { thawPolicy, thawSet, thawUnion } from './thaw.ts';

const isReason = (value: unknown): value is CloseReason =>
  typeof value === 'string' && Object.hasOwn(CLOSE_REASONS, value);

const reason = new t.Type<CloseReason, CloseReason, unknown>(
  'a close reason',
  isReason,
  (value, context) => (isReason(value) ? t.success(value) : t.failure(value, context)),
  t.identity,
);

const resolution = t.union([
  t.intersection([
    t.type({ t: t.literal('bound'), endpoints: frozenSet }),
    t.partial({ union: frozenUnion }),
  ]),
  t.type({ t: t.literal('failed'), cause: t.string }),
  t.type({ t: t.keyof({ neg: null, confirmed: null, pending: null }) }),
]);

/** A resolution, with its endpoints by their texts. */
export type FrozenResolution = t.TypeOf<typeof resolution>;

const moment = t.type({ at: time });
const ofDial = t.type({ at: time, dial: count });

/** An event. */
export const frozenEvent = t.union([
  t.intersection([t.type({ t: t.literal('arrived'), conn: count, deadline: limit }), moment]),
  t.intersection([t.type({ t: t.literal('departed'), conn: count, detail: t.string }), moment]),
  t.intersection([t.type({ t: t.literal('resolved'), resolution }), moment]),
  t.intersection([
    t.type({
      t: t.literal('connectFailed'),
      cause: t.keyof({ timeout: null, refused: null, local: null, other: null }),
      detail: t.string,
    }),
    ofDial,
  ]),
  t.intersection([t.type({ t: t.literal('closed'), spurned: t.boolean }), ofDial]),
  t.intersection([t.type({ t: t.keyof({ connected: null, answered: null, lost: null }) }), ofDial]),
  t.intersection([
    t.type({
      t: t.literal('sampled'),
      moved: t.readonlyArray(t.type({ address: t.string, bytes: t.number })),
    }),
    moment,
  ]),
  t.intersection([t.type({ t: t.literal('configured'), policy: frozenPolicy }), moment]),
  t.intersection([t.type({ t: t.keyof({ ticked: null, released: null }) }), moment]),
]);

/** See `frozenEvent`. */
export type FrozenEvent = t.TypeOf<typeof frozenEvent>;

/** A command. */
export const frozenCommand = t.union([
  t.intersection([
    t.type({ t: t.literal('connect'), dial: count, address: t.string }),
    t.partial({ conn: count }),
  ]),
  t.type({ t: t.keyof({ abort: null, close: null, watch: null }), dial: count }),
  t.type({
    t: t.literal('dispatch'),
    conn: count,
    dial: count,
    address: t.string,
    attempts: count,
  }),
  t.intersection([
    t.type({ t: t.literal('refuse'), conn: count, reason, attempts: count }),
    t.partial({ detail: t.string }),
  ]),
  t.intersection([
    t.type({
      t: t.literal('tell'),
      what: t.keyof({ failed: null, restored: null }),
      address: t.string,
    }),
    t.partial({ penaltyMs: t.number }),
  ]),
]);

/** See `frozenCommand`. */
export type FrozenCommand = t.TypeOf<typeof frozenCommand>;

/** Endpoints by their texts. */
export const freezeResolution = (said: Resolution): FrozenResolution => {
  if (said.t !== 'bound') return said;
  const endpoints = freezeSet(said.endpoints);
  return said.union === undefined
    ? { t: 'bound', endpoints }
    : { t: 'bound', endpoints, union: freezeUnion(said.union) };
};

/** As the interpreter said it. */
export const thawResolution = (said: FrozenResolution): Resolution => {
  if (said.t !== 'bound') return said;
  const endpoints = thawSet(said.endpoints);
  return said.union === undefined
    ? { t: 'bound', endpoints }
    : { t: 'bound', endpoints, union: thawUnion(said.union) };
};

/** An event as plain data. */
export const freezeEvent = (event: Event): FrozenEvent => {
  const { at } = event;
  switch (event.t) {
    case 'resolved':
      return { t: 'resolved', at, resolution: freezeResolution(event.resolution) };
    case 'configured':
      return { t: 'configured', at, policy: freezePolicy(event.policy) };
    case 'sampled': {
      const moved = [...event.moved].map(([address, bytes]) => ({ address, bytes }));
      return { t: 'sampled', at, moved };
    }
    default:
      return event;
  }
};

/** The event that it was. */
export const thawEvent = (event: FrozenEvent): Event => {
  const { at } = event;
  switch (event.t) {
    case 'resolved':
      return { t: 'resolved', at, resolution: thawResolution(event.resolution) };
    case 'configured':
      return { t: 'configured', at, policy: thawPolicy(event.policy) };
    case 'sampled':
      return {
        t: 'sampled',
        at,
        moved: new Map(event.moved.map(({ address, bytes }) => [address, bytes])),
      };
    default:
      return event;
  }
};

/** A command as plain data. */
export const freezeCommand = (command: Command): FrozenCommand =>
  'address' in command ? { ...command, address: command.address.text } : command;
