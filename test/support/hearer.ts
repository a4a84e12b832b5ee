/** An owner of a proxy’s socket that notes what it hears, and whom a test can wait for. */
import { type Begun, fresh } from '../../src/socket/read-ahead.ts';
import { NOBODY, type Socket, type SocketOwner } from '../../src/socket/socket.ts';
import { within } from './eventually.ts';

/** Notes all that a socket tells, and passes it on if somebody else is to hear it too. */
export class Hearer implements SocketOwner {
  /** `data`, `ended`, `finished` and `failed` with its code, in order; data in a row is one. */
  readonly told: string[] = [];
  readonly #chunks: Buffer[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #next: SocketOwner;
  #length = 0;

  constructor(next: SocketOwner = NOBODY) {
    this.#next = next;
  }

  get length(): number {
    return this.#length;
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  /** Waits until something is so, looking at whatever is told. */
  until(what: string, isSo: () => boolean): Promise<void> {
    const come = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!isSo()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    return within(what, come);
  }

  /** Waits until so many bytes were told, and gives them all as text. */
  async gets(length: number): Promise<string> {
    await this.until(`${length} bytes`, () => this.#length >= length);
    return this.text;
  }

  /** Waits for the peer’s end. */
  end(): Promise<void> {
    return this.until('the end', () => this.told.includes('ended'));
  }

  /** Waits until it fails, and gives the code. */
  async failure(): Promise<string> {
    const find = (): string | undefined => this.told.find((word) => word.startsWith('failed'));
    await this.until('a failure', () => find() !== undefined);
    return find()?.slice('failed '.length) ?? '';
  }

  data(memory: Buffer, length: number, isOurs: boolean): void {
    this.#chunks.push(Buffer.from(memory.subarray(0, length)));
    this.#length += length;
    this.#next.data(memory, length, isOurs);
    if (this.told.at(-1) === 'data') this.#look();
    else this.#note('data');
  }

  ended(): void {
    this.#next.ended();
    this.#note('ended');
  }

  written(): void {
    this.#next.written();
    this.#look();
  }

  finished(): void {
    this.#next.finished();
    this.#note('finished');
  }

  failed(code: string | undefined): void {
    this.#next.failed(code);
    this.#note(`failed ${code}`);
  }

  #note(word: string): void {
    this.told.push(word);
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** Owns a socket from now on, and reads; what it had said already comes first. */
export const takeOver = ({ socket, said, hasEnded }: Begun): Hearer => {
  const hearer = new Hearer();
  for (const bytes of said) hearer.data(bytes, bytes.length, true);
  if (hasEnded) hearer.ended();
  socket.owner = hearer;
  socket.read();
  return hearer;
};

/** The same for a socket that nobody has read. */
export const hear = (socket: Socket): Hearer => takeOver(fresh(socket));

/** Hears what its owner hears, and takes nothing from it. */
export const overhear = (socket: Socket): Hearer => {
  const hearer = new Hearer(socket.owner);
  socket.owner = hearer;
  return hearer;
};

/** Writes a text. */
export const say = (socket: Socket, text: string): boolean => {
  const bytes = Buffer.from(text);
  return socket.write(bytes, bytes.length, true);
};

/** Waits for the one call of `released`; gives how often it has been called so far. */
export const whenReleased = (
  socket: Socket,
): { readonly count: () => number; readonly once: () => Promise<void> } => {
  let count = 0;
  let settle: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    settle = resolve;
  });
  socket.released = () => {
    count += 1;
    settle();
  };
  return { count: () => count, once: () => within('its release', released) };
};
