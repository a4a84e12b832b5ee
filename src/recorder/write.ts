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

/** What a balancer knows now. */
export const writeCheckpoint = (
  to: Segment,
  name: { readonly id: number; readonly rt: string; readonly dst: string },
  state: FrozenState,
): void => {
  to.byte(RECORD.checkpoint);
  to.index(name.id);
  to.word(name.rt);
  to.word(name.dst);
  to.text(JSON.stringify(state));
};

/** A balancer has ended. */
export const writeGone = (to: Segment, id: number): void => {
  to.byte(RECORD.gone);
  to.index(id);
};

/** A connection as it left the operators. */
export const writeEnvelope = (to: Segment, envelope: Envelope): void => {
  to.byte(RECORD.envelope);
  to.number(envelope.id);
  to.number(envelope.at);
  to.number(envelope.deadline);
  to.word(envelope.rt);
  to.word(envelope.srv);
  to.word(envelope.dst);
  to.word(envelope.rule);
  to.text(envelope.src);
  const extras = EXTRAS.flatMap((key) =>
    envelope[key] === undefined ? [] : [[key, envelope[key]] as const],
  );
  to.text(extras.length === 0 ? '' : JSON.stringify(Object.fromEntries(extras)));
};

const writeEvent = (to: Segment, name: number, event: Event): void => {
  const { t } = event;
  const kind = t === 'resolved' || t === 'configured' || t === 'sampled' ? 'other' : t;
  to.byte(RECORD[kind]);
  to.index(name);
  to.number(event.at);
  switch (t) {
    case 'arrived':
      to.number(event.conn);
      to.number(event.deadline);
      break;
    case 'departed':
      to.number(event.conn);
      to.word(event.detail);
      break;
    case 'connectFailed':
      to.number(event.dial);
      to.word(event.cause);
      to.word(event.detail);
      break;
    case 'closed':
      to.number(event.dial);
      to.byte(event.spurned ? 1 : 0);
      break;
    case 'connected':
    case 'answered':
    case 'lost':
      to.number(event.dial);
      break;
    case 'ticked':
    case 'released':
      break;
    default:
      to.text(JSON.stringify(freezeEvent(event)));
  }
};

const writeCommand = (to: Segment, command: Command): void => {
  to.byte(COMMAND[command.t]);
  switch (command.t) {
    case 'connect':
      to.number(command.dial);
      to.word(command.address.text);
      to.number(command.conn ?? NONE);
      break;
    case 'dispatch':
      to.number(command.conn);
      to.number(command.dial);
      to.word(command.address.text);
      to.number(command.attempts);
      break;
    case 'refuse':
      to.number(command.conn);
      to.word(command.reason);
      to.number(command.attempts);
      to.word(command.detail ?? '');
      break;
    case 'tell':
      to.word(command.what);
      to.word(command.address.text);
      to.number(command.penaltyMs ?? NONE);
      break;
    default:
      to.number(command.dial);
  }
};

/** An event of a balancer, and what it decided. */
export const writeStep = (
  to: Segment,
  name: number,
  event: Event,
  commands: readonly Command[],
): void => {
  writeEvent(to, name, event);
  to.index(commands.length);
  for (const command of commands) writeCommand(to, command);
};
