/**
 * The peer’s own sockets. Plain ones all read into one large buffer, for the peer must not be what limits the proxies;
 * that is safe because Node reads and calls back in one go.
 */
import net from 'node:net';
import tls from 'node:tls';

const HOST = '127.0.0.1';
const SHARED = Buffer.allocUnsafe(1 << 20);

/** What is done with a socket’s bytes; they are to be copied by whoever keeps them. */
export interface Hearer {
  hear: (bytes: Buffer) => void;
}

/** Where to, and how. */
export interface Target {
  readonly port: number;
  readonly tls?: boolean;
  /** See `Through`. */
  readonly resumes?: boolean;
  /** For whom a connection is, told by a PROXY header before its first message; itself, if nobody is told. */
  readonly source?: string;
}

/** The last session of each port. */
const sessions = new Map<number, Buffer>();

const openSecure = (
  { port, resumes = false }: Target,
  ready: (socket: net.Socket) => void,
): tls.TLSSocket => {
  const session = resumes ? sessions.get(port) : undefined;
  const options = { host: HOST, port, rejectUnauthorized: false };
  const socket = tls.connect({ ...options, ...(session && { session }) }, () => {
    if (session !== undefined && !socket.isSessionReused())
      socket.destroy(new Error('a session that was not resumed'));
    else ready(socket);
  });
  if (resumes) socket.on('session', (next) => sessions.set(port, next));
  return socket.setNoDelay(true);
};

const onread = (hearer: Hearer): net.OnReadOpts => ({
  buffer: SHARED,
  callback: (length) => {
    hearer.hear(SHARED.subarray(0, length));
    return true;
  },
});

/** Opens a connection, and calls back when it is ready for bytes. */
export const open = (
  target: Target,
  ready: (socket: net.Socket) => void,
  hearer: Hearer,
): net.Socket => {
  if (target.tls === true)
    return openSecure(target, ready).on('data', (bytes: Buffer) => hearer.hear(bytes));
  const options = { host: HOST, port: target.port, noDelay: true, onread: onread(hearer) };
  const socket = net.connect(options, () => ready(socket));
  return socket;
};

/**
 * Has an accepted socket read into the shared buffer too, for which Node has no option: another one on its handle.
 * The server is to accept with `pauseOnConnect`.
 */
export const adopt = (accepted: net.Socket, hearer: Hearer): net.Socket => {
  const handle: unknown = Reflect.get(accepted, '_handle');
  const options = { handle, allowHalfOpen: true, onread: onread(hearer) };
  return new net.Socket(options);
};
