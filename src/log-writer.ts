/** Log lines on their way out: formatted, collected, bounded, and never in anybody’s way. */
import { type Fields, LEVELS, type Level, type Log } from './log.ts';

/** Most bytes of lines that wait; further lines are dropped and counted. */
export const MOST_WAITING = 1024 * 1024;

/** What the system writes to a pipe in one piece, in bytes. Source: POSIX, PIPE_BUF on Linux. */
const WHOLE_BYTES = 4096;

/** Where lines go, and what they look like. */
export interface LogWriterOptions {
  /** Writes bytes and calls back when they are out. Called with one piece at a time. */
  readonly write: (bytes: Buffer, done: () => void) => void;
  /** Calls back soon: lines that come until then go out together. */
  readonly soon: (task: () => void) => void;
  /** Wall-clock time. */
  readonly now: () => number;
  /** A time as it stands in a line. */
  readonly showTime: (time: number) => string;
  readonly level: () => Level;
  readonly format: () => 'text' | 'json';
  /** One of several processes that write to the same place: it says so in each line, and writes no more than a pipe takes whole. */
  readonly worker?: number;
}

/** A log, and what an operator of it asks. */
export interface LogWriter {
  readonly log: Log;
  /** Lines lost so far. */
  readonly dropped: () => number;
  /** Nothing waits and nothing is on its way. */
  readonly isIdle: () => boolean;
}

/** What needs quotes in a text line: blanks, quotes, `=`, and all that could start a line or an escape sequence. */
const SAFE = /^[\x21\x23-\x3c\x3e-\x7e]+$/;

const showValue = (value: string | number | boolean): string =>
  typeof value !== 'string' || SAFE.test(value) ? String(value) : escapeText(value);

/** JSON leaves DEL and the C1 controls as they are; a terminal would obey some of them. */
const escapeText = (text: string): string =>
  JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Makes a line; `worker` stands at its end, if there is one. */
type Show = (
  time: string,
  level: Level,
  message: string,
  fields: Fields,
  worker: number | undefined,
) => string;

const textLine: Show = (time, level, message, fields, worker) => {
  let line = `${time} ${level} ${message}`;
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) line += ` ${key}=${showValue(value)}`;
  }
  return worker === undefined ? `${line}\n` : `${line} worker=${worker}\n`;
};

const jsonLine: Show = (time, level, message, fields, worker) =>
  `${JSON.stringify({ time, level, message, ...fields, worker })}\n`;

/** A line that is not made yet. */
interface Entry {
  readonly at: number;
  readonly level: Level;
  readonly message: string;
  readonly fields: Fields | (() => Fields);
}

/**
 * Lines are made together, as many as came until they are written: one after the other they cost less than
 * each would cost between two connections, for the processor has the way in its caches.
 */
const TOGETHER = 256;

class Writer implements LogWriter {
  readonly #options: LogWriterOptions;
  /** Not made yet. */
  #entries: Entry[] = [];
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isBusy = false;
  #dropped = 0;
  /** Lines lost since the loss was last told. */
  #untold = 0;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  readonly dropped = (): number => this.#dropped;

  readonly log: Log = (level, message, fields = {}) => {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(this.#options.level())) return;
    if (this.#waitingBytes > MOST_WAITING) {
      this.#dropped += 1;
      this.#untold += 1;
      return;
    }
    if (this.#untold > 0) this.#tellLoss();
    this.#entries.push({ at: this.#options.now(), level, message, fields });
    if (this.#entries.length >= TOGETHER) this.#make();
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#options.soon(this.#write);
  };

  readonly isIdle = (): boolean => !this.#isBusy;

  #take(): Buffer {
    const { worker } = this.#options;
    const lines = worker === undefined ? this.#waiting : this.#takeWhole();
    if (worker === undefined) this.#waiting = [];
    const bytes = Buffer.from(lines.join(''));
    this.#waitingBytes = this.#waiting.length === 0 ? 0 : this.#waitingBytes - bytes.length;
    return bytes;
  }

  /** As many lines as are written in one piece beside those of others; a longer one alone. */
  #takeWhole(): readonly string[] {
    let bytes = 0;
    const fits = this.#waiting.findIndex((line) => {
      bytes += Buffer.byteLength(line);
      return bytes > WHOLE_BYTES;
    });
    return this.#waiting.splice(0, fits < 0 ? this.#waiting.length : Math.max(1, fits));
  }

  #tellLoss(): void {
    const count = this.#untold;
    this.#untold = 0;
    const at = this.#options.now();
    this.#entries.push({ at, level: 'warn', message: 'log lines were lost', fields: { count } });
  }

  /** Makes the lines of all entries. */
  #make(): void {
    const { format, showTime, worker } = this.#options;
    const show = format() === 'json' ? jsonLine : textLine;
    let shownAt = Number.NaN;
    let time = '';
    for (const { at, level, message, fields } of this.#entries) {
      if (at !== shownAt) time = showTime(at);
      shownAt = at;
      const own = typeof fields === 'function' ? fields() : fields;
      const line = show(time, level, message, own, worker);
      this.#waiting.push(line);
      this.#waitingBytes += line.length;
    }
    this.#entries = [];
  }

  readonly #write = (): void => {
    this.#make();
    if (this.#waiting.length === 0) this.#isBusy = false;
    else this.#options.write(this.#take(), this.#write);
  };
}

/**
 * Makes a log. Lines are collected and written together, one write at a time; a reader that stalls
 * costs lines beyond 1 MiB, which are counted and told, and never the caller’s time.
 * Nothing in a field can begin a line of its own.
 */
export const makeLogWriter = (options: LogWriterOptions): LogWriter => new Writer(options);
