/** Records in memory made lines again: NDJSON. */
import { SegmentReader, type Written } from './segment.ts';
import { COMMAND, KINDS, NONE, RECORD } from './write.ts';

/** Of a kind that is known here; what has no line is a fault of ours. */
const unknown = (what: string, kind: number): never => {
  throw new Error(`no ${what} of kind ${kind}`);
};

const readCheckpoint = (name: number, from: SegmentReader): string => {
  const [rt, dst] = [from.word(from.next()), from.word(from.next())];
  const lead = JSON.stringify({ t: 'checkpoint', name, rt, dst });
  return `${lead.slice(0, -1)},"state":${from.text()}}`;
};

const readEnvelope = (hasExtras: boolean, from: SegmentReader): string => {
  const [id, at, deadline] = [from.next(), from.next(), from.next()];
  const [rt, srv] = [from.word(from.next()), from.word(from.next())];
  const [dst, rule] = [from.word(from.next()), from.word(from.next())];
  const src = from.text();
  const lead = JSON.stringify({ t: 'envelope', id, rt, srv, src, dst, rule, at, deadline });
  return hasExtras ? `${lead.slice(0, -1)},${from.text().slice(1)}` : lead;
};

type Plain = Readonly<Record<string, unknown>>;

const readCommand = (from: SegmentReader): Plain => {
  const head = from.next();
  const kind = head % KINDS;
  const word = from.word((head - kind) / KINDS);
  switch (kind) {
    case COMMAND.connect: {
      const [dial, conn] = [from.next(), from.next()];
      return { t: 'connect', dial, address: word, ...(conn === NONE ? {} : { conn }) };
    }
    case COMMAND.abort:
      return { t: 'abort', dial: from.next() };
    case COMMAND.close:
      return { t: 'close', dial: from.next() };
    case COMMAND.watch:
      return { t: 'watch', dial: from.next() };
    case COMMAND.dispatch: {
      const [conn, dial] = [from.next(), from.next()];
      return { t: 'dispatch', conn, dial, address: word, attempts: from.next() };
    }
    case COMMAND.refuse: {
      const [conn, attempts, detail] = [from.next(), from.next(), from.word(from.next())];
      return { t: 'refuse', conn, reason: word, attempts, ...(detail === '' ? {} : { detail }) };
    }
    case COMMAND.tell: {
      const [what, penaltyMs] = [from.word(from.next()), from.next()];
      return { t: 'tell', what, address: word, ...(penaltyMs === NONE ? {} : { penaltyMs }) };
    }
    default:
      return unknown('command', kind);
  }
};

const readPlain = (kind: number, from: SegmentReader): Plain => {
  switch (kind) {
    case RECORD.arrived:
      return { t: 'arrived', conn: from.next(), deadline: from.next() };
    case RECORD.departed:
      return { t: 'departed', conn: from.next(), detail: from.word(from.next()) };
    case RECORD.connectFailed: {
      const [dial, cause] = [from.next(), from.word(from.next())];
      return { t: 'connectFailed', dial, cause, detail: from.word(from.next()) };
    }
    case RECORD.closed:
      return { t: 'closed', dial: from.next(), spurned: from.next() === 1 };
    case RECORD.connected:
      return { t: 'connected', dial: from.next() };
    case RECORD.answered:
      return { t: 'answered', dial: from.next() };
    case RECORD.lost:
      return { t: 'lost', dial: from.next() };
    case RECORD.ticked:
      return { t: 'ticked' };
    case RECORD.released:
      return { t: 'released' };
    default:
      return unknown('record', kind);
  }
};

const readStep = (kind: number, name: number, from: SegmentReader): string => {
  const at = from.next();
  const event =
    kind === RECORD.other ? from.text() : JSON.stringify({ ...readPlain(kind, from), at });
  const commands = Array.from({ length: from.next() }, () => readCommand(from));
  return `{"t":"step","name":${name},"event":${event},"commands":${JSON.stringify(commands)}}`;
};

const readRecord = (from: SegmentReader): string => {
  const head = from.next();
  const kind = head % KINDS;
  const rest = (head - kind) / KINDS;
  switch (kind) {
    case RECORD.checkpoint:
      return readCheckpoint(rest, from);
    case RECORD.envelope:
      return readEnvelope(rest === 1, from);
    case RECORD.gone:
      return JSON.stringify({ t: 'gone', name: rest });
    default:
      return readStep(kind, rest, from);
  }
};

/** The lines of what was written, one by one, without line breaks. */
export function* readSegment(written: Written): Generator<string> {
  yield JSON.stringify({ t: 'segment', at: written.since });
  const from = new SegmentReader(written);
  while (!from.isOver) yield readRecord(from);
}
