/** The table of inbound sockets: the one place where an envelope’s id leads to its socket. */
import type { Close } from '../close-reason.ts';
import type { Stream, StreamLimits } from '../duplex/stream.ts';
import type { Envelope } from '../envelope.ts';
import { type Begun, ReadAhead } from '../socket/read-ahead.ts';
import type { Socket } from '../socket/socket.ts';
import { Table } from '../table.ts';

/** An inbound connection whose envelope is out. */
export interface Client {
  readonly envelope: Envelope;
  readonly limits: StreamLimits;
}

/** One that is handed over to be joined with an endpoint. */
export interface TakenClient extends Client, Begun {}

/** How a client went that gave no code. */
const CLOSED = 'closed';

class Entry extends ReadAhead implements TakenClient {
  envelope: Envelope;
  readonly limits: StreamLimits;
  /** The socket is the table’s. */
  isOurs = true;
  /** How it went, once it has. */
  detail: string | undefined;
  /** Set while somebody waits for an endpoint on its behalf. */
  departed: ((detail: string) => void) | undefined;
  /** Set from the dispatch on: the socket is the stream’s. */
  stream: Stream | undefined;

  constructor({ envelope, limits }: Client, socket: Socket) {
    super(socket);
    this.envelope = envelope;
    this.limits = limits;
  }

  protected override gone(code: string | undefined): void {
    const { departed } = this;
    this.detail = code ?? CLOSED;
    this.isOurs = false;
    this.departed = undefined;
    departed?.(this.detail);
  }
}

/**
 * Owns each client socket until `take`; then the stream does, and the table only counts it until `leave`.
 * A client that only ends its direction waits on: it may have asked its question. One that resets is gone.
 * Bounds: the servers’ admission limits bound it.
 */
export class Clients {
  readonly #entries = new Table<number, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Takes charge of a socket, and sees it go: a client that vanishes while it waits is dropped at once. `earlier`: what
   * it has said before.
   */
  add(client: Client, socket: Socket, earlier?: Begun): void {
    const entry = new Entry(client, socket);
    this.#entries.set(client.envelope.id, entry);
    entry.begin(earlier);
  }

  /** Calls back once if the client goes away before it is taken or dropped; at once if it has gone already. */
  watch(id: number, departed: (detail: string) => void): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (entry.isOurs) entry.departed = departed;
    else if (entry.detail !== undefined) departed(entry.detail);
  }

  /** One that waits for an endpoint: what is known of it, and its socket, which stays the table’s. */
  waiter(id: number): { readonly envelope: Envelope; readonly socket: Socket } | undefined {
    const entry = this.#entries.get(id);
    return entry?.isOurs === true ? entry : undefined;
  }

  /** Hands the socket over: the caller owns it, and must say `leave` in the end. `undefined`: it has gone. */
  take(id: number): TakenClient | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || !entry.isOurs) return undefined;
    entry.isOurs = false;
    entry.departed = undefined;
    return entry;
  }

  /** An operator has changed what is known of a connection. */
  revise(envelope: Envelope): void {
    const entry = this.#entries.get(envelope.id);
    if (entry !== undefined) entry.envelope = envelope;
  }

  /** Notes the stream that now owns the socket, for counters and for cutting it. */
  streaming(id: number, stream: Stream): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.stream = stream;
  }

  /** Forgets a connection that has ended. */
  leave(id: number): void {
    this.#entries.delete(id);
  }

  /**
   * Resets and forgets a connection that was never taken; gives it back while it was here. Who waits for it is
   * told that it has departed; who has refused it itself may take no notice.
   */
  refuse(id: number): Client | undefined {
    const entry = this.#entries.get(id);
    const { departed } = entry ?? {};
    this.take(id)?.socket.reset();
    this.leave(id);
    departed?.('refused');
    return entry;
  }

  /** Cuts every stream. */
  abort(close: Close): void {
    for (const { stream } of [...this.#entries.values()]) stream?.abort(close);
  }

  /** Those that wait for an endpoint. */
  waiting(): readonly Envelope[] {
    return [...this.#entries.values()]
      .filter(({ stream }) => stream === undefined)
      .map(({ envelope }) => envelope);
  }

  /** Every connection of the table with its stream, if it has one; for counters. */
  *all(): IterableIterator<{ readonly envelope: Envelope; readonly stream: Stream | undefined }> {
    yield* this.#entries.values();
  }
}
