/** Records in memory. What each connection causes is written as numbers, without making anything; what is rare, as JSON. */
import type { FrozenState } from '../balancer/frozen.ts';
import { freezeEvent } from '../balancer/frozen-messages.ts';
import type { Command, Event } from '../balancer/messages.ts';
import type { Envelope } from '../envelope.ts';
import { EXTRAS } from './lines.ts';
import type { Segment } from './segment.ts';

/** Kinds of records. */
export const RECORD = {
  checkpoint: 0,
  gone: 1,
  envelope: 2,
  arrived: 3,
  departed: 4,
  connected: 5,
  connectFailed: 6,
  answered: 7,
  closed: 8,
  lost: 9,
  ticked: 10,
  released: 11,
  /** An event that is rare. */
  other: 12,
} as const;

/** Kinds of commands. */
export const COMMAND = {
  connect: 0,
  abort: 1,
  close: 2,
  watch: 3,
  dispatch: 4,
  refuse: 5,
  tell: 6,
} as const satisfies Readonly<Record<Command['t'], number>>;

/** Stands for a number that is not there. */
export const NONE = -1;

/** So many kinds of records fit beside the number of a name, and so many kinds of commands beside that of a word. */
export const KINDS = 16;

const MOST_EVENT_CELLS = 6;
const MOST_COMMAND_CELLS = 4;

/** What a balancer knows now. */
export const writeCheckpoint = (
  to: Segment,
  name: { readonly id: number; readonly rt: string; readonly dst: string },
  state: FrozenState,
): void => {
  to.room(3);
  to.add(RECORD.checkpoint + KINDS * name.id);
  to.add(to.word(name.rt));
  to.add(to.word(name.dst));
  to.text(JSON.stringify(state));
};

/** A balancer has ended. */
export const writeGone = (to: Segment, id: number): void => {
  to.room(1);
  to.add(RECORD.gone + KINDS * id);
};

/** Most envelopes have none of it; to look key by key for that costs more than all else that is written. */
const isPlain = ({ notes, peer, local, sni, alpn, tls, cert }: Envelope): boolean =>
  sni === undefined &&
  alpn === undefined &&
  tls === undefined &&
  peer === undefined &&
  local === undefined &&
  notes === undefined &&
  cert === undefined;

/** What of an envelope not every one has, as JSON; nothing where it has none of it. */
const extrasOf = (envelope: Envelope): string =>
  isPlain(envelope)
    ? ''
    : JSON.stringify(Object.fromEntries(EXTRAS.map((key) => [key, envelope[key]])));

/** A connection as it left the operators. */
export const writeEnvelope = (to: Segment, envelope: Envelope): void => {
  const extras = extrasOf(envelope);
  to.room(8);
  to.add(RECORD.envelope + (extras === '' ? 0 : KINDS));
  to.add(envelope.id);
  to.add(envelope.at);
  to.add(envelope.deadline);
  to.add(to.word(envelope.rt));
  to.add(to.word(envelope.srv));
  to.add(to.word(envelope.dst));
  to.add(to.word(envelope.rule));
  to.text(envelope.src);
  if (extras !== '') to.text(extras);
};

/** Written out: to look a kind up by its name costs as much as all else that is written of an event. */
const kindOf = (t: Event['t']): number => {
  switch (t) {
    case 'arrived':
      return RECORD.arrived;
    case 'connected':
      return RECORD.connected;
    case 'answered':
      return RECORD.answered;
    case 'closed':
      return RECORD.closed;
    case 'departed':
      return RECORD.departed;
    case 'connectFailed':
      return RECORD.connectFailed;
    case 'lost':
      return RECORD.lost;
    case 'ticked':
      return RECORD.ticked;
    case 'released':
      return RECORD.released;
    default:
      return RECORD.other;
  }
};

const writeEvent = (to: Segment, name: number, event: Event): void => {
  to.add(kindOf(event.t) + KINDS * name);
  to.add(event.at);
  switch (event.t) {
    case 'arrived':
      to.add(event.conn);
      to.add(event.deadline);
      break;
    case 'departed':
      to.add(event.conn);
      to.add(to.word(event.detail));
      break;
    case 'connectFailed':
      to.add(event.dial);
      to.add(to.word(event.cause));
      to.add(to.word(event.detail));
      break;
    case 'closed':
      to.add(event.dial);
      to.add(event.spurned ? 1 : 0);
      break;
    case 'connected':
    case 'answered':
    case 'lost':
      to.add(event.dial);
      break;
    case 'ticked':
    case 'released':
      break;
    default:
      to.text(JSON.stringify(freezeEvent(event)));
  }
};

const writeCommand = (to: Segment, command: Command): void => {
  switch (command.t) {
    case 'connect':
      to.add(COMMAND.connect + KINDS * to.word(command.address.text));
      to.add(command.dial);
      to.add(command.conn ?? NONE);
      break;
    case 'dispatch':
      to.add(COMMAND.dispatch + KINDS * to.word(command.address.text));
      to.add(command.conn);
      to.add(command.dial);
      to.add(command.attempts);
      break;
    case 'refuse':
      to.add(COMMAND.refuse + KINDS * to.word(command.reason));
      to.add(command.conn);
      to.add(command.attempts);
      to.add(to.word(command.detail ?? ''));
      break;
    case 'tell':
      to.add(COMMAND.tell + KINDS * to.word(command.address.text));
      to.add(to.word(command.what));
      to.add(command.penaltyMs ?? NONE);
      break;
    default:
      to.add(COMMAND[command.t]);
      to.add(command.dial);
  }
};

/** An event of a balancer, and what it decided. */
export const writeStep = (
  to: Segment,
  name: number,
  event: Event,
  commands: readonly Command[],
): void => {
  to.room(MOST_EVENT_CELLS + MOST_COMMAND_CELLS * commands.length);
  writeEvent(to, name, event);
  to.add(commands.length);
  for (const command of commands) writeCommand(to, command);
};
