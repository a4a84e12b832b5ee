/** The transport over the network: node's HTTP client as an Observable. */
import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request } from 'node:http';
import { request as secureRequest, Agent as TlsAgent } from 'node:https';
import { Observable, type Subscriber } from 'rxjs';
import type { Received, Transport } from './transport.ts';

/** A dead peer of a silent watch is found within this time and some 10 s of probes. */
const KEEP_ALIVE_MS = 30_000;

/** Connections that are kept for the next poll, and how long: namerd's address is looked up anew after that. */
const KEPT = { keepAlive: true, maxFreeSockets: 4, timeout: 30_000 } as const;

/** Settings of the transport. */
export interface HttpOptions {
  /** PEM of the roots to trust for https; absent: the platform's. */
  readonly ca?: string;
  /** PEM of a client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Asked before each request, beside `accept`. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Who is asked, for messages. */
  readonly what?: string;
}

type Agents = Readonly<Record<'plain' | 'secure', PlainAgent>>;

/** Node tells of several addresses tried in an error that has no message of its own. */
const describe = (error: Error): string =>
  error instanceof AggregateError && error.message === ''
    ? error.errors.map((each: unknown) => (each instanceof Error ? each.message : each)).join(', ')
    : error.message;

/** One GET. Owns its request; `abort` ends it at once, and leaves alone one that is complete. */
class Get {
  readonly #url: URL;
  readonly #out: Subscriber<Received>;
  readonly #options: HttpOptions;
  #outgoing: ClientRequest | undefined;

  constructor(url: URL, out: Subscriber<Received>, options: HttpOptions) {
    this.#url = url;
    this.#out = out;
    this.#options = options;
  }

  /** Without agents, the request has a connection of its own. */
  start(agents?: Agents): void {
    const { headers: more, ca, cert, key } = this.#options;
    const isSecure = this.#url.protocol === 'https:';
    const agent = agents === undefined ? false : isSecure ? agents.secure : agents.plain;
    const headers = { accept: 'application/json', ...more?.() };
    const pem = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
    const outgoing = isSecure
      ? secureRequest(this.#url, { agent, headers, ...pem })
      : request(this.#url, { agent, headers });
    this.#outgoing = outgoing;
    outgoing.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    outgoing.on('response', (incoming) => this.#read(incoming));
    outgoing.on('error', (error) => {
      // A kept connection may have been closed by the server just now; that says nothing about it.
      if (outgoing.reusedSocket && !this.#out.closed) this.start();
      else this.#fail(describe(error));
    });
    outgoing.end();
  }

  readonly abort = (): void => {
    this.#outgoing?.destroy();
  };

  #read(incoming: IncomingMessage): void {
    const cut = (): void => this.#fail('the connection was cut');
    incoming.on('data', (bytes: Uint8Array) => this.#out.next({ t: 'chunk', bytes }));
    incoming.on('end', () => this.#out.complete());
    incoming.on('error', cut);
    incoming.on('close', cut);
    const { statusCode: status = 0, headers } = incoming;
    this.#out.next({ t: 'head', status, headers });
  }

  #fail(what: string): void {
    this.#out.next({
      t: 'broken',
      cause: `${this.#options.what ?? 'namerd'} at ${this.#url.host}: ${what}`,
    });
    this.#out.complete();
  }
}

/** Makes the transport over the network. Polls share kept connections, a watch has one of its own. */
export const makeHttp = (options: HttpOptions = {}): Transport => {
  const agents: Agents = {
    plain: new PlainAgent(KEPT),
    secure: new TlsAgent(KEPT),
  };
  return (url, kind) =>
    new Observable((out) => {
      const get = new Get(new URL(url), out, options);
      get.start(kind === 'poll' ? agents : undefined);
      return get.abort;
    });
};
