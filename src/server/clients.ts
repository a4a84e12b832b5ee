/** The table of inbound sockets: the one place where an envelope’s id leads to its socket. */
import type { Socket } from 'node:net';
import type { Close } from '../close-reason.ts';
import { resetSocket } from '../duplex/reset.ts';
import type { Stream, StreamLimits } from '../duplex/stream.ts';
import type { Envelope } from '../envelope.ts';
import { codeOf } from '../listen-error.ts';

/** An inbound connection whose envelope is out. Its socket has an error listener for good. */
export interface Client {
  readonly envelope: Envelope;
  readonly socket: Socket;
  readonly limits: StreamLimits;
}

interface Entry {
  readonly client: Client;
  /** Hears the socket close; set while the socket is the table’s and open. */
  closed: (() => void) | undefined;
  /** Set while somebody waits for an endpoint on its behalf. */
  departed: ((detail: string) => void) | undefined;
  /** Set from the dispatch on: the socket is the stream’s. */
  stream: Stream | undefined;
}

/** How a client went: `ECONNRESET`. */
const detailOf = ({ errored }: Socket): string => (errored === null ? 'closed' : codeOf(errored));

/** The socket is the table’s no more. */
const release = (entry: Entry): void => {
  if (entry.closed !== undefined) entry.client.socket.off('close', entry.closed);
  entry.closed = undefined;
  entry.departed = undefined;
};

const depart = (entry: Entry): void => {
  const { departed } = entry;
  release(entry);
  departed?.(detailOf(entry.client.socket));
};

/**
 * Owns each client socket until `take`; then the stream does, and the table only counts it until `leave`.
 * A client that only ends its direction waits on: it may have asked its question. One that resets is gone.
 * Bounds: the servers’ admission limits bound it.
 */
export class Clients {
  readonly #entries = new Map<number, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Takes charge of a socket, and sees it go: a client that vanishes while it waits is dropped at once. */
  add(client: Client): void {
    const { socket, envelope } = client;
    const entry: Entry = { client, closed: undefined, departed: undefined, stream: undefined };
    this.#entries.set(envelope.id, entry);
    // It may have told its close already, and would not tell it again.
    if (socket.destroyed) return;
    entry.closed = () => depart(entry);
    socket.on('close', entry.closed);
  }

  /** Calls back once if the client goes away before it is taken or dropped; at once if it has gone already. */
  watch(id: number, departed: (detail: string) => void): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (entry.closed !== undefined) entry.departed = departed;
    else if (entry.stream === undefined) departed(detailOf(entry.client.socket));
  }

  /** Hands the socket over: the caller owns it, and must say `leave` in the end. `undefined`: it has gone. */
  take(id: number): Client | undefined {
    const entry = this.#entries.get(id);
    if (entry?.closed === undefined) return undefined;
    release(entry);
    // Its close is on the way.
    return entry.client.socket.destroyed ? undefined : entry.client;
  }

  /** Notes the stream that now owns the socket, for counters and for cutting it. */
  streaming(id: number, stream: Stream): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.stream = stream;
  }

  /** Forgets a connection that has ended. */
  leave(id: number): void {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    // The tables that a Map outgrew are not collected at once, and hold what was in them: let it be little.
    if (entry !== undefined) entry.stream = undefined;
  }

  /**
   * Resets and forgets a connection that was never taken; gives it back while it was here. Who waits for it is
   * told that it has departed; who has refused it itself may take no notice.
   */
  refuse(id: number): Client | undefined {
    const entry = this.#entries.get(id);
    const { client, departed } = entry ?? {};
    if (this.take(id) !== undefined && client !== undefined) resetSocket(client.socket);
    this.leave(id);
    departed?.('refused');
    return client;
  }

  /** Cuts every stream. */
  abort(close: Close): void {
    for (const { stream } of [...this.#entries.values()]) stream?.abort(close);
  }

  /** Those that wait for an endpoint. */
  waiting(): readonly Envelope[] {
    return [...this.#entries.values()]
      .filter(({ stream }) => stream === undefined)
      .map(({ client }) => client.envelope);
  }

  /** Every connection of the table with its stream, if it has one; for counters. */
  *all(): IterableIterator<{ readonly envelope: Envelope; readonly stream: Stream | undefined }> {
    for (const { client, stream } of this.#entries.values()) {
      yield { envelope: client.envelope, stream };
    }
  }
}
