/**
 * A stand-in for the API server of Kubernetes: a real HTTP server that lists EndpointSlices and services and tells of their changes, as
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

/** A service as the API has it. */
export interface ServiceJson {
  readonly metadata: { readonly name: string; resourceVersion?: string };
  readonly spec: { readonly type?: string; readonly ports: readonly object[] };
}

/** A service with one named port. */
export const service = (
  port: number,
  { portName = 'http', type = 'ClusterIP' } = {},
): ServiceJson => ({
  metadata: { name: 'web' },
  spec: { type, ports: [{ name: portName, port, targetPort: 'any', protocol: 'TCP' }] },
});

type Kind = 'slices' | 'services';

interface Change {
  readonly kind: Kind;
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: SliceJson | ServiceJson;
}

const kindOf = (path: string): Kind => (path.endsWith('/services') ? 'services' : 'slices');

export class KubeDouble {
  readonly asked: { readonly target: string; readonly authorization: string | undefined }[] = [];
  /** Required of each request, if set. */
  token: string | undefined;
  /** Whether services may be read. */
  hasServices = true;
  readonly #slices = new Map<string, SliceJson>();
  #service: ServiceJson | undefined;
  readonly #changes: Change[] = [];
  readonly #watches = new Map<ServerResponse, Kind>();
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
    this.#tell('slices', type, one);
  }

  /** The only service; `undefined`: there is none any more. */
  setService(one: ServiceJson | undefined): void {
    const before = this.#service;
    this.#service = one;
    if (one !== undefined) this.#tell('services', before === undefined ? 'ADDED' : 'MODIFIED', one);
    else if (before !== undefined) this.#tell('services', 'DELETED', before);
  }

  delete(name: string): void {
    const one = this.#slices.get(name);
    this.#slices.delete(name);
    if (one !== undefined) this.#tell('slices', 'DELETED', one);
  }

  /** Ends all watches, as a server that is begun anew; with `forget` it does not know former versions any more. */
  restart({ forget = false } = {}): void {
    if (forget) this.#forgotten = ++this.#version;
    for (const watch of this.#watches.keys()) watch.end();
    this.#watches.clear();
  }

  /** Sends this to all watches, as it is. */
  say(line: string): void {
    for (const watch of this.#watches.keys()) watch.write(`${line}\n`);
  }

  /** Resolves when so many requests have come. */
  async until(count: number): Promise<void> {
    while (this.asked.length < count) await once(this.#heard, 'asked');
  }

  #tell(kind: Kind, type: Change['type'], one: Change['object']): void {
    this.#version += 1;
    const metadata = { ...one.metadata, resourceVersion: String(this.#version) };
    const change = { kind, version: this.#version, type, object: { ...one, metadata } };
    this.#changes.push(change);
    for (const [watch, its] of this.#watches) if (its === kind) watch.write(this.#line(change));
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
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://kube');
    const kind = kindOf(pathname);
    if (kind === 'services' && !this.hasServices)
      outgoing.writeHead(403).end('{"kind":"Status","message":"forbidden","code":403}');
    else if (searchParams.get('watch') === 'true')
      this.#watch(kind, Number(searchParams.get('resourceVersion')), outgoing);
    else outgoing.end(JSON.stringify(this.#list(kind)));
  }

  #list(kind: Kind): object {
    const service = this.#service === undefined ? [] : [this.#service];
    const items = kind === 'slices' ? [...this.#slices.values()] : service;
    return { kind: 'List', metadata: { resourceVersion: String(this.#version) }, items };
  }

  #watch(kind: Kind, from: number, outgoing: ServerResponse): void {
    if (from < this.#forgotten) {
      outgoing.writeHead(410).end('{"kind":"Status","code":410,"reason":"Expired"}');
      return;
    }
    outgoing.writeHead(200).flushHeaders();
    this.#watches.set(outgoing, kind);
    outgoing.on('close', () => this.#watches.delete(outgoing));
    for (const change of this.#changes)
      if (change.kind === kind && change.version > from) outgoing.write(this.#line(change));
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
