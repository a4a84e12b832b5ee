/** The table of inbound sockets: the one place where an envelope’s id leads to its socket. */
import type { Socket } from 'node:net';
import type { Close } from '../close-reason.ts';
import { resetSocket } from '../duplex/reset.ts';
import type { Stream, StreamLimits } from '../duplex/stream.ts';
import type { Envelope } from '../envelope.ts';

/** An inbound connection whose envelope is out. */
export interface Client {
  readonly envelope: Envelope;
  readonly socket: Socket;
  readonly limits: StreamLimits;
}

interface Entry {
  readonly client: Client;
  /** Set while somebody waits for an endpoint on its behalf. */
  departed: ((detail: string) => void) | undefined;
  /** Set from the dispatch on: the socket is the stream’s. */
  stream: Stream | undefined;
  /** Set while the socket is still the table’s. */
  unwatch: (() => void) | undefined;
}

/**
 * Owns each client socket until `take`; then the stream does, and the table only counts it until `leave`.
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
    const entry: Entry = { client, departed: undefined, stream: undefined, unwatch: undefined };
    const gone = (error?: unknown): void => {
      entry.unwatch?.();
      entry.unwatch = undefined;
      socket.on('error', () => undefined);
      socket.destroy();
      const detail = error instanceof Error ? error.message : 'closed';
      if (entry.departed !== undefined) entry.departed(detail);
    };
    const closed = (): void => gone();
    entry.unwatch = () => {
      socket.off('error', gone);
      socket.off('close', closed);
    };
    socket.on('error', gone);
    socket.on('close', closed);
    this.#entries.set(envelope.id, entry);
  }

  /** Calls back once if the client goes away before it is taken or dropped; at once if it has gone already. */
  watch(id: number, departed: (detail: string) => void): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.departed = departed;
    if (entry.unwatch === undefined && entry.stream === undefined) departed('closed');
  }

  /** Hands the socket over: the caller owns it, and must say `leave` in the end. `undefined`: it has gone. */
  take(id: number): Client | undefined {
    const entry = this.#entries.get(id);
    if (entry?.unwatch === undefined) return undefined;
    entry.departed = undefined;
    entry.unwatch();
    entry.unwatch = undefined;
    return entry.client;
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

  /** Resets and forgets a connection that was never taken; gives it back while it was here. */
  refuse(id: number): Client | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    const client = this.take(id);
    client?.socket.on('error', () => undefined);
    if (client !== undefined) resetSocket(client.socket);
    this.leave(id);
    return entry.client;
  }

  /** Cuts every stream; those still waiting are told to depart. */
  abort(close: Close): void {
    for (const { stream, departed } of [...this.#entries.values()]) {
      if (stream !== undefined) stream.abort(close);
      else departed?.(close.reason);
    }
  }

  /** Those that wait for a name. */
  waiting(rt: string, dst: string): readonly number[] {
    return [...this.#entries.values()]
      .filter(
        ({ client: { envelope }, stream }) =>
          stream === undefined && envelope.rt === rt && envelope.dst === dst,
      )
      .map(({ client }) => client.envelope.id);
  }

  /** Every connection of the table with its stream, if it has one; for counters. */
  *all(): IterableIterator<{ readonly envelope: Envelope; readonly stream: Stream | undefined }> {
    for (const { client, stream } of this.#entries.values()) {
      yield { envelope: client.envelope, stream };
    }
  }
}
