/**
 * A stand-in for namerd: a real HTTP server that keeps a state per name and tells it as namerd does, or
 * replays any script of bytes, however ugly, instead.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export type Kind = 'watch' | 'poll';

/** One request that is being answered: the script's side of it. */
export interface Exchange {
  readonly kind: Kind;
  /** The name, decoded. */
  readonly name: string;
  /** The request's target as it stood on the wire. */
  readonly target: string;
  /** Sends the head of a reply, 200 unless told, and keeps the body open. */
  readonly head: (status?: number, headers?: Readonly<Record<string, string>>) => void;
  /** Sends bytes of the body as one chunk. */
  readonly send: (bytes: string | Uint8Array) => void;
  /** Ends the body properly. */
  readonly end: () => void;
  /** Closes the connection in the middle of whatever it is in. */
  readonly cut: () => void;
  /** Sends bytes past HTTP, as they are. */
  readonly raw: (bytes: string) => void;
  /** Resolves when the exchange is over, whoever ended it. */
  readonly over: Promise<unknown>;
}

export type Script = (exchange: Exchange) => void;

/** An address in namerd's JSON. */
export const addr = (port: number, ip = '127.0.0.1', meta: object = {}): string =>
  JSON.stringify({ ip, port, meta });

/** A line of namerd that binds a name to these addresses. */
export const bound = (...addrs: readonly string[]): string =>
  `{"type":"bound","addrs":[${addrs.join(',')}],"meta":{}}`;

export const NEG = '{"type":"neg"}';

/** A reply of these lines, each a chunk of its own; the body stays open. */
export const lines =
  (...texts: readonly string[]): Script =>
  ({ head, send }) => {
    head();
    for (const text of texts) send(`${text}\n`);
  };

/** A reply of these chunks, byte for byte; then the body is ended, cut, or left open. */
export const chunks =
  (bytes: readonly (string | Uint8Array)[], then: 'end' | 'cut' | 'open' = 'open'): Script =>
  (exchange) => {
    exchange.head();
    for (const each of bytes) exchange.send(each);
    if (then === 'end') exchange.end();
    // A cut right after a write would take the written bytes along.
    if (then === 'cut') setImmediate(exchange.cut);
  };

/** A reply with a status and a body. */
export const status =
  (code: number, body = '', headers: Readonly<Record<string, string>> = {}): Script =>
  ({ head, send, end }) => {
    head(code, headers);
    if (body !== '') send(body);
    end();
  };

/** A name that is pending: a watch has its head and nothing else, a poll has nothing at all. */
export const pending: Script = ({ kind, head }) => {
  if (kind === 'watch') head();
};

/** No reply at all. */
export const mute: Script = () => undefined;

/** A line that never ends, 64 KiB at a time, until the client has had enough. */
export const endlessLine: Script = ({ head, send, over }) => {
  head();
  const piece = 'x'.repeat(65_536);
  const timer = setInterval(() => send(piece), 1);
  void over.then(() => clearInterval(timer));
};

const exchangeOf = (incoming: IncomingMessage, outgoing: ServerResponse): Exchange => {
  const url = new URL(incoming.url ?? '/', 'http://namerd');
  const over = once(outgoing, 'close');
  return {
    kind: url.searchParams.get('watch') === 'true' ? 'watch' : 'poll',
    name: url.searchParams.get('path') ?? '',
    target: incoming.url ?? '',
    head: (code = 200, headers = { 'content-type': 'application/json' }) => {
      outgoing.writeHead(code, headers).flushHeaders();
    },
    send: (bytes) => {
      if (!outgoing.writableEnded && !outgoing.destroyed) outgoing.write(bytes);
    },
    end: () => outgoing.end(),
    cut: () => incoming.socket.destroy(),
    raw: (bytes) => incoming.socket.write(bytes),
    over,
  };
};

/** See `startNamerd`. */
export class NamerdDouble {
  /** Every request so far, in order. */
  readonly asked: Exchange[] = [];
  readonly #server: Server;
  readonly #scheme: string;
  readonly #sockets = new Set<Socket>();
  readonly #open = new Set<Exchange>();
  readonly #states = new Map<string, string>();
  readonly #scripts: Record<Kind, Script[]> = { watch: [], poll: [] };
  readonly #changed = new EventEmitter().setMaxListeners(0);

  constructor(server: Server, scheme: string) {
    this.#server = server;
    this.#scheme = scheme;
    server.on('connection', (socket: Socket) => this.#keep(socket));
    server.on('secureConnection', (socket: Socket) => this.#keep(socket));
    server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) =>
      this.#serve(exchangeOf(incoming, outgoing)),
    );
  }

  get port(): number {
    const address = this.#server.address();
    return (address as AddressInfo).port;
  }

  get baseUrl(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** Requests that are being answered now. */
  get open(): readonly Exchange[] {
    return [...this.#open];
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** `/bind` binds each name to a leaf of its own name, if it exists; of a leaf its addresses are asked. */
  #wordOf({ target, name }: Exchange, line: string): string {
    if (!target.startsWith('/api/1/bind/') || line === NEG) return line;
    return JSON.stringify({
      type: 'leaf',
      bound: { addr: JSON.parse(bound()), id: name, path: '/' },
    });
  }

  /** Sets what a name is: a line of JSON, told to its watches at once. Names that were never set are neg. */
  set(name: string, line: string): void {
    this.#states.set(name, line);
    for (const each of this.#open)
      if (each.name === name && each.kind === 'watch') each.send(`${this.#wordOf(each, line)}\n`);
  }

  /** Answers the next requests of a kind by scripts, one each; later ones are answered by state again. */
  replay(kind: Kind, ...scripts: readonly Script[]): void {
    this.#scripts[kind].push(...scripts);
  }

  /** Resolves when `isSo`, which is looked at after each request and each end of one. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await once(this.#changed, 'changed');
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Stops listening and cuts what is open; `listen` may follow, on the same port. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#changed.emit('changed');
    });
    socket.on('error', () => undefined);
  }

  #serve(exchange: Exchange): void {
    this.asked.push(exchange);
    this.#open.add(exchange);
    void exchange.over.then(() => {
      this.#open.delete(exchange);
      this.#changed.emit('changed');
    });
    const script = this.#scripts[exchange.kind].shift();
    if (script === undefined) this.#tell(exchange);
    else script(exchange);
    this.#changed.emit('changed');
  }

  #tell(exchange: Exchange): void {
    const { kind, name, head, send, end } = exchange;
    head();
    send(`${this.#wordOf(exchange, this.#states.get(name) ?? NEG)}\n`);
    if (kind === 'poll') end();
  }
}

/** Starts a stand-in for namerd on a free port of loopback, over TLS if it is given a certificate. */
export const startNamerd = async (tls?: { key: string; cert: string }): Promise<NamerdDouble> => {
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  const double = new NamerdDouble(server, tls === undefined ? 'http' : 'https');
  await double.listen();
  return double;
};
