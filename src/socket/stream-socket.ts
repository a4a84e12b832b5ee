/** A socket on one of Node’s own: for TLS, and wherever the platform’s handles cannot be had. */
import type { Socket as NodeSocket } from 'node:net';
import { showPeer } from '../address.ts';
import { type Account, Keeper } from './keeper.ts';
import { SHARED_BYTES } from './memory.ts';
import { resetSocket } from './reset.ts';
import { NOBODY, type Socket, type SocketOwner } from './socket.ts';

const NOTHING = Buffer.alloc(0);

/** A TLS write always finishes later. */
const SLACK_BYTES = 64 * 1024;

const nothing = (): void => undefined;

/** What went wrong with a socket: `ECONNRESET`. */
const errorOf = ({ errored }: NodeSocket): string | undefined => {
  if (errored === null) return undefined;
  return 'code' in errored && typeof errored.code === 'string' ? errored.code : errored.message;
};

/**
 * A connection on a socket of Node, plain or TLS, that was made with `allowHalfOpen` and has not been read.
 * A write that ends at once needs no callback, and costs less without. `drain` is not used: it comes only after
 * a write beyond the stream’s own high-water mark, and a pause below that mark would last for ever.
 */
export class StreamSocket extends Keeper implements Socket {
  owner: SocketOwner = NOBODY;
  released: () => void = nothing;
  readonly slack = SLACK_BYTES;
  readonly fullRead = SHARED_BYTES;
  readonly reads = SHARED_BYTES;
  /** It reads into its own. */
  readonly mostMemory = 0;
  unwritten = 0;
  protected readonly node: NodeSocket;
  /** It tells what it reads. */
  #isHeard = false;
  #isReading = false;
  #hasEnded = false;
  #isOver = false;

  constructor(socket: NodeSocket, account: Account) {
    super(account);
    this.node = socket;
    socket.on('error', this.#onError).on('close', this.#onError);
    socket.on('end', this.#onEnd).on('finish', this.#onFinish);
  }

  get isOpen(): boolean {
    return !this.#isOver;
  }

  get isBroken(): boolean {
    return this.node.errored !== null || this.node.destroyed;
  }

  get queued(): number {
    return this.unwritten;
  }

  /** Its Node socket, without an owner; it is open no more as far as this object is concerned. */
  protected surrender(): NodeSocket {
    this.#forsake();
    this.keepNothing();
    this.#isOver = true;
    // What comes between two owners waits for the next.
    return this.node.pause();
  }

  local(): string | undefined {
    const { localAddress, localPort } = this.node;
    return localAddress === undefined ? undefined : showPeer(localAddress, localPort ?? 0);
  }

  read(): void {
    const socket = this.node;
    this.#isReading = true;
    if (this.isBroken) return;
    if (!this.#isHeard) {
      this.#isHeard = true;
      socket.on('data', this.#onData);
    }
    // What it has is taken now: between here and the next turn it could fail, and drop it.
    else socket.read();
    if (this.#isReading) socket.resume();
  }

  pause(): void {
    this.#isReading = false;
    this.node.pause();
  }

  readInto(): boolean {
    return false;
  }

  write(memory: Buffer, length: number, isOurs: boolean): boolean {
    if (this.#isOver) return true;
    const socket = this.node;
    const bytes = memory.length === length ? memory : memory.subarray(0, length);
    socket.write(isOurs ? bytes : Buffer.from(bytes), this.#onWritten);
    this.unwritten = this.isBroken ? 0 : socket.writableLength;
    return this.unwritten === 0;
  }

  end(): boolean {
    if (this.#isOver) return true;
    this.node.end();
    return this.node.writableFinished;
  }

  destroy(): void {
    if (this.#letGo()) this.node.destroy();
  }

  reset(): void {
    if (this.#letGo()) resetSocket(this.node);
  }

  readonly #onData = (chunk: Buffer): void => this.owner.data(chunk, chunk.length, true);

  readonly #onWritten = (): void => {
    // What a failed socket held counts as held until it has told so.
    if (this.isBroken) return;
    const left = this.node.writableLength;
    if (left >= this.unwritten) return;
    this.unwritten = left;
    this.owner.written();
  };

  readonly #onFinish = (): void => this.owner.finished();

  readonly #onEnd = (): void => {
    const socket = this.node;
    // Node tells a reset that comes together with data as an end. An empty write tells them apart: it fails.
    if (socket.writable) socket.write(NOTHING);
    if (this.isBroken) return;
    this.#hasEnded = true;
    this.owner.ended();
  };

  /** It failed, or closed, with or without a word. */
  readonly #onError = (): void => {
    if (this.#isOver) return;
    const socket = this.node;
    // Node closes by itself what has ended both ways. That is no failure: its owner closes it.
    if (this.#hasEnded && socket.writableFinished && socket.errored === null) return;
    this.#forsake();
    // A destroyed socket gives what it holds without an event, or with one that nobody hears any more.
    if (!this.#hasEnded)
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read())
        this.owner.data(chunk, chunk.length, true);
    this.#letGo();
    this.owner.failed(errorOf(socket));
  };

  /** Whether it was open. */
  #letGo(): boolean {
    if (this.#isOver) return false;
    this.keepNothing();
    this.#isOver = true;
    this.unwritten = 0;
    this.#forsake();
    this.released();
    return true;
  }

  /**
   * The platform keeps a closed socket until its next full collection. Without its listeners it keeps only itself, and
   * not the whole stream.
   */
  #forsake(): void {
    this.node.off('error', this.#onError).off('close', this.#onError).off('data', this.#onData);
    this.node.off('end', this.#onEnd).off('finish', this.#onFinish).on('error', nothing);
  }
}
