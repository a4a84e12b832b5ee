/**
 * A stand-in for the API server of Kubernetes: a real HTTP server that lists EndpointSlices and tells of their changes, as
 * the documentation of its API says: versions, watches from a version, bookmarks, 410 for one that is forgotten.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A slice as the API has it. */
export interface SliceJson {
  readonly metadata: { readonly name: string; resourceVersion?: string; readonly labels?: object };
  readonly addressType?: string;
  readonly endpoints: readonly object[];
  readonly ports: readonly object[];
}

/** A slice with one named port. */
export const slice = (
  name: string,
  addresses: readonly string[],
  { port = 80, portName = 'http', conditions = {} as object } = {},
): SliceJson => ({
  metadata: { name, labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address], conditions, nodeName: 'n1' })),
  ports: [{ name: portName, port, protocol: 'TCP' }],
});

interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: SliceJson;
}

export class KubeDouble {
  readonly asked: { readonly target: string; readonly authorization: string | undefined }[] = [];
  /** Required of each request, if set. */
  token: string | undefined;
  readonly #slices = new Map<string, SliceJson>();
  readonly #changes: Change[] = [];
  readonly #watches = new Set<ServerResponse>();
  readonly #heard = new EventEmitter();
  readonly #server: Server;
  #version = 100;
  #forgotten = 0;

  constructor(server: Server) {
    this.#server = server;
    server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) =>
      this.#answer(incoming, outgoing),
    );
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  set(one: SliceJson): void {
    const type = this.#slices.has(one.metadata.name) ? 'MODIFIED' : 'ADDED';
    this.#slices.set(one.metadata.name, one);
    this.#tell(type, one);
  }

  delete(name: string): void {
    const one = this.#slices.get(name);
    this.#slices.delete(name);
    if (one !== undefined) this.#tell('DELETED', one);
  }

  /** Ends all watches, as a server that is begun anew; with `forget` it does not know former versions any more. */
  restart({ forget = false } = {}): void {
    if (forget) this.#forgotten = ++this.#version;
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
  }

  /** Sends this to all watches, as it is. */
  say(line: string): void {
    for (const watch of this.#watches) watch.write(`${line}\n`);
  }

  /** Resolves when so many requests have come. */
  async until(count: number): Promise<void> {
    while (this.asked.length < count) await once(this.#heard, 'asked');
  }

  #tell(type: Change['type'], one: SliceJson): void {
    this.#version += 1;
    const metadata = { ...one.metadata, resourceVersion: String(this.#version) };
    const change = { version: this.#version, type, object: { ...one, metadata } };
    this.#changes.push(change);
    for (const watch of this.#watches) watch.write(this.#line(change));
  }

  #line({ type, object }: Change): string {
    return `${JSON.stringify({ type, object })}\n`;
  }

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { authorization } = incoming.headers;
    this.asked.push({ target: incoming.url ?? '', authorization });
    this.#heard.emit('asked');
    if (this.token !== undefined && authorization !== `Bearer ${this.token}`) {
      outgoing.writeHead(401).end('{"kind":"Status","message":"Unauthorized","code":401}');
      return;
    }
    const { searchParams } = new URL(incoming.url ?? '/', 'http://kube');
    if (searchParams.get('watch') === 'true')
      this.#watch(Number(searchParams.get('resourceVersion')), outgoing);
    else {
      const metadata = { resourceVersion: String(this.#version) };
      outgoing.end(
        JSON.stringify({ kind: 'EndpointSliceList', metadata, items: [...this.#slices.values()] }),
      );
    }
  }

  #watch(from: number, outgoing: ServerResponse): void {
    if (from < this.#forgotten) {
      outgoing.writeHead(410).end('{"kind":"Status","code":410,"reason":"Expired"}');
      return;
    }
    outgoing.writeHead(200).flushHeaders();
    this.#watches.add(outgoing);
    outgoing.on('close', () => this.#watches.delete(outgoing));
    for (const change of this.#changes)
      if (change.version > from) outgoing.write(this.#line(change));
  }
}

/** Starts one on a free port of loopback. */
export const startKube = async (context: TestContext): Promise<KubeDouble> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return new KubeDouble(server);
};
