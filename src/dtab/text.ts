/** Text that is read from left to right, with errors that show the place. Pure. */

/** What is wrong with a text, and where. */
export interface SyntaxFault {
  /** One line; shows the text with the offending character in brackets. */
  readonly message: string;
  /** In UTF-16 units from the start. */
  readonly offset: number;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** Thrown within the parser and caught at its border. */
export class Fault extends Error {
  readonly fault: SyntaxFault;

  constructor(fault: SyntaxFault) {
    super(fault.message);
    this.fault = fault;
  }
}

const SPACE = /[ \t\r\n\f\v]/;
/** Of a long text so much is shown before and behind the fault. */
const SHOWN = 60;

const before = (text: string): string => (text.length > SHOWN ? `…${text.slice(-SHOWN)}` : text);
const behind = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

/** On one line. */
const flat = (text: string): string => text.replace(/\s/g, ' ');

/** A place in a text. */
export class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The next character; empty at the end. */
  get next(): string {
    return this.#text.charAt(this.#at);
  }

  /** Passes blanks, and comments, which begin with `#` where a blank may stand and go to the end of the line. */
  skip(): void {
    for (;;) {
      while (SPACE.test(this.next)) this.#at += 1;
      if (this.next !== '#') return;
      const end = this.#text.indexOf('\n', this.#at);
      this.#at = end < 0 ? this.#text.length : end;
    }
  }

  /** Passes a text if it comes next. */
  takes(wanted: string): boolean {
    if (!this.#text.startsWith(wanted, this.#at)) return false;
    this.#at += wanted.length;
    return true;
  }

  /** Passes what a sticky pattern matches here; `undefined`: nothing. */
  match(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  /** Passes one character. Errors: throws a `Fault` if it is another. */
  eat(wanted: string): void {
    if (!this.takes(wanted)) this.fail(`'${wanted}'`);
  }

  /** Errors: throws a `Fault`, always. Source of the form: Finagle’s parser. */
  fail(expected: string): never {
    const [text, at] = [this.#text, this.#at];
    const found = this.isAtEnd ? 'end of input' : `'${flat(this.next)}'`;
    const shown = `${before(text.slice(0, at))}[${this.next}]${behind(text.slice(at + 1))}`;
    const lines = text.slice(0, at).split('\n');
    throw new Fault({
      message: `${expected} expected but ${found} found at '${flat(shown)}'`,
      offset: at,
      line: lines.length,
      column: (lines.at(-1)?.length ?? 0) + 1,
    });
  }
}
