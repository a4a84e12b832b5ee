/** The proxies that are compared, one process and one thread of work each, before the same backend. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCert } from '../support/certs.ts';
import { type Child, runFolder, start, toldPort, waitFor } from './children.ts';

const HERE = import.meta.dirname;
const PROBE = ['--import', join(HERE, 'loop-delay.js')];
const MAIN = join(HERE, '..', '..', 'src', 'main.js');

/** Something that is compared. */
export interface Contender {
  readonly name: string;
  readonly port: number;
  /** The process that does the work; none for a direct connection. */
  readonly child: Child | undefined;
  /** It was started with `loop-delay.ts`, and its loop was blocked for so long at most while somebody looked. */
  readonly watch?: { longestMs: number };
  /** Connections that do not stay begin with PROXY headers, for so many addresses. */
  readonly sources?: number;
}

/** How to start a contender before a backend’s port. */
export interface Recipe {
  readonly name: string;
  readonly start: (target: number) => Promise<Contender>;
}

/** Files of a certificate, for contenders whose clients speak TLS. */
export interface CertFiles {
  readonly cert: string;
  readonly key: string;
  /** Both in one file, as haproxy wants it. */
  readonly both: string;
}

/** What may be other than usual. */
export interface Variant {
  readonly tls?: CertFiles | undefined;
  /** With large buffers; for the peers. */
  readonly isTuned?: boolean;
  /** The Node that runs it. */
  readonly node?: string;
  readonly name?: string;
  /** Of this folder, instead of two pipes. */
  readonly program?: string;
  /** Without what watches the event loop. */
  readonly isPlain?: boolean;
  /** How many of the daemon’s processes serve; usually its only one does. */
  readonly workers?: number;
  /** Connections are for so many addresses, as PROXY headers tell, and each has a name of its own: `/svc/IP`. */
  readonly sources?: number;
}

/** Writes a file of this run, and gives its path. */
export const write = (name: string, text: string): string => {
  const path = join(runFolder(), name);
  writeFileSync(path, text);
  return path;
};

/** Makes a certificate for localhost that signs itself, with an EC key (P-256). */
export const makeCertFiles = async (): Promise<CertFiles> => {
  const { certs, privateKey } = await makeCert('localhost', { isEc: true });
  return {
    cert: write('cert.pem', String(certs)),
    key: write('key.pem', String(privateKey)),
    both: write('both.pem', `${String(certs)}\n${String(privateKey)}`),
  };
};

/** No proxy at all. */
export const direct: Recipe = {
  name: 'direct',
  start: async (port) => ({ name: 'direct', port, child: undefined }),
};

const watchOf = (isPlain: boolean): Pick<Contender, 'watch'> =>
  isPlain ? {} : { watch: { longestMs: 0 } };

/** Two pipes in Node. */
export const bare = ({
  tls,
  node = process.execPath,
  name = 'bare pipe',
  program = 'bare.js',
  isPlain = false,
}: Variant = {}): Recipe => ({
  name,
  start: async (target) => {
    const files = tls === undefined ? [] : [tls.cert, tls.key];
    const command = [
      node,
      ...(isPlain ? [] : PROBE),
      join(HERE, program),
      String(target),
      ...files,
    ];
    const child = start(command, { ipc: true });
    return { name, port: await toldPort(child), child, ...watchOf(isPlain) };
  },
});

const daemonConfig = (interpreter: object, variant: Variant): string => {
  const { tls, workers = 0, sources } = variant;
  const identity = tls && { defaultIdentity: { certs: [tls.cert], privateKey: tls.key } };
  const name =
    sources === undefined
      ? { dstName: '/svc/bench' }
      : { identify: [{ dst: '/svc/{source}' }], proxyProtocol: { trust: ['127.0.0.1'] } };
  const server = { port: 0, ...name, ...(identity && { tls: identity }) };
  const routers = [{ label: 'bench', interpreter, servers: [server] }];
  return JSON.stringify({ workers, admin: { port: 0 }, routers });
};

const configNameOf = (name: string): string => `${name}.json`;

/** The configuration of a daemon that was started under a name. */
export const configFileOf = (name: string): string => join(runFolder(), configNameOf(name));

/** Starts the daemon with its log, metrics and limits as shipped, and gives the port of its one server. */
export const startDaemon = async (
  interpreter: object,
  variant: Variant = {},
): Promise<Contender & { readonly child: Child }> => {
  const { node = process.execPath, name = 'linkerd-tcp', isPlain = false, sources } = variant;
  const file = write(configNameOf(name), daemonConfig(interpreter, variant));
  const child = start([node, ...(isPlain ? [] : PROBE), MAIN, file]);
  const port = await waitFor(
    child,
    () => /listening .*srv=127\.0\.0\.1:(\d+)/.exec(child.said())?.[1],
  );
  return {
    name,
    port: Number(port),
    child,
    ...watchOf(isPlain),
    ...(sources === undefined ? {} : { sources }),
  };
};

/** The one name of most runs. */
const oneName = (target: number): Readonly<Record<string, readonly string[]>> => ({
  '/svc/bench': [`127.0.0.1:${target}`],
});

/** This project; `names` gives the endpoints of each name, where they are not one. */
export const linkerdTcp = (variant: Variant = {}, names = oneName): Recipe => {
  const { name = 'linkerd-tcp' } = variant;
  return {
    name,
    start: (target) => startDaemon({ kind: 'static', names: names(target) }, { ...variant, name }),
  };
};
