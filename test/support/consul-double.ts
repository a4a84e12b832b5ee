/**
 * A stand-in for a Consul agent: a real HTTP server that answers `/v1/health/service/…` as Consul’s documentation says, with
 * blocking queries: an answer waits while `index` is not below that of the service, at most for `wait`.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** One instance. */
export interface Instance {
  readonly address?: string;
  readonly port: number;
  readonly node?: string;
  readonly tags?: readonly string[];
  readonly statuses?: readonly string[];
  readonly weights?: { readonly Passing: number; readonly Warning: number };
  readonly nodeMeta?: object;
  readonly serviceMeta?: object;
}

const jsonOf = ({
  address = '',
  port,
  node = '10.0.0.1',
  tags = [],
  statuses = ['passing'],
  weights = { Passing: 1, Warning: 1 },
  nodeMeta = {},
  serviceMeta = {},
}: Instance): object => ({
  Node: { Node: 'n', Address: node, Meta: nodeMeta },
  Service: { Address: address, Port: port, Tags: tags, Weights: weights, Meta: serviceMeta },
  Checks: statuses.map((Status) => ({ CheckID: 'c', Status })),
});

/** A query as it came. */
export interface Query {
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

export class ConsulDouble {
  readonly asked: Query[] = [];
  /** Answers this instead, to the next query. */
  next: { readonly status: number; readonly body: string; readonly index?: string } | undefined;
  index = 10;
  readonly #services = new Map<string, readonly Instance[]>();
  readonly #changed = new EventEmitter().setMaxListeners(0);
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
      void this.#answer(incoming, outgoing);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  set(service: string, ...instances: readonly Instance[]): void {
    this.#services.set(service, instances);
    this.index += 1;
    this.#changed.emit('changed');
  }

  /** Resolves when so many queries have come. */
  async until(count: number): Promise<void> {
    while (this.asked.length < count) await once(this.#changed, 'asked');
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://consul');
    const query = { path: url.pathname, params: url.searchParams, headers: incoming.headers };
    this.asked.push(query);
    this.#changed.emit('asked');
    const { next } = this;
    this.next = undefined;
    if (next !== undefined) {
      const headers = next.index === undefined ? {} : { 'x-consul-index': next.index };
      outgoing.writeHead(next.status, headers).end(next.body);
      return;
    }
    const from = Number(query.params.get('index') ?? '0');
    if (from > 0 && from >= this.index) await once(this.#changed, 'changed');
    const name = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
    const tag = query.params.get('tag');
    const all = this.#services.get(name) ?? [];
    const found = tag === null ? all : all.filter(({ tags = [] }) => tags.includes(tag));
    outgoing.setHeader('x-consul-index', String(this.index));
    outgoing.end(JSON.stringify(found.map(jsonOf)));
  }
}

/** Starts one on a free port of loopback. */
export const startConsul = async (context: TestContext): Promise<ConsulDouble> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return new ConsulDouble(server);
};
