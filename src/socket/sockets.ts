/** Where connections come from: accepted by a listening server, or dialed. */
import { connect, type Server } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Address } from '../address.ts';
import { Bag } from '../bag.ts';
import type { Timers } from '../timers.ts';
import { HandleSocket, KEEP_ALIVE_SECS } from './handle-socket.ts';
import type { Account } from './keeper.ts';
import { Memory } from './memory.ts';
import { findNative, listeningHandle, type Native } from './native.ts';
import { PlainStream } from './plain-stream.ts';
import { AHEAD_BYTES } from './read-ahead.ts';
import { NOBODY, type PlainSocket } from './socket.ts';

/** Makes sockets; one per process. Those that it makes half-close, send at once, and probe a silent peer. */
export interface Sockets {
  /** What they are made of. */
  readonly kind: 'handle' | 'stream';
  /** Has the connections of a server come as sockets, from now on. The server listens already. */
  readonly accept: (server: Server, taken: (socket: PlainSocket) => void) => void;
  /**
   * Dials. `done` is called once, with a code if it failed, and never synchronously; not after the socket was
   * destroyed. The socket is the caller’s at once. `willRead`: it is read as soon as it is connected, and not secured;
   * to know that before saves a system call. Errors: throws where no dial can be begun.
   */
  readonly dial: (
    address: Address,
    done: (code: string | undefined) => void,
    willRead?: boolean,
  ) => PlainSocket;
}

/** What `net.createServer` is to be given. */
export const SERVER_OPTIONS = {
  allowHalfOpen: true,
  highWaterMark: AHEAD_BYTES,
  pauseOnConnect: true,
} as const;

const acceptStreams =
  (account: Account): Sockets['accept'] =>
  (server, taken) => {
    server.on('connection', (socket) => {
      socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_SECS * 1000);
      taken(new PlainStream(socket, account));
    });
  };

/** What sockets are made with. */
export interface SocketsSetup {
  readonly timers: Timers;
  /** Runs a task in the next turn of the event loop. */
  readonly soon: (task: () => void) => void;
  /** Of what is kept for them. */
  readonly account: Account;
}

/** Sockets on Node’s own. */
export const makeStreamSockets = ({ account }: Pick<SocketsSetup, 'account'>): Sockets => ({
  kind: 'stream',
  accept: acceptStreams(account),
  dial: ({ ip, port }, done) => {
    const socket = connect({
      host: ip,
      port,
      autoSelectFamily: false,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_SECS * 1000,
    });
    const dialed = new PlainStream(socket, account);
    dialed.owner = { ...NOBODY, failed: (code) => done(code ?? 'ECONNRESET') };
    socket.once('connect', () => {
      if (!dialed.isOpen) return;
      dialed.owner = NOBODY;
      done(undefined);
    });
    return dialed;
  },
});

const systemError = (call: string, status: number): Error => {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${call} ${code}`), { code });
};

/** After so long a dialed connection is told to probe a silent peer: at most this much later than at once. */
const YOUNG_MS = 10_000;

/** The dialed connections that are to be told, in one go. */
const makeYoung = (timers: Timers): ((socket: HandleSocket) => void) => {
  const young = new Bag<HandleSocket>();
  let isWaiting = false;
  const grown = (): void => {
    isWaiting = false;
    for (const socket of young.empty()) socket.keepAlive();
  };
  return (socket) => {
    socket.tuneLater(young);
    if (isWaiting) return;
    isWaiting = true;
    timers.after(YOUNG_MS, grown);
  };
};

/** Sockets on the platform’s handles. */
export const makeHandleSockets = (
  native: Native,
  { timers, soon, account }: SocketsSetup,
): Sockets => {
  const memory = new Memory(native, soon, account);
  const dialed = makeYoung(timers);
  return {
    kind: 'handle',
    accept: (server, taken) => {
      const listening = listeningHandle(server);
      if (listening === undefined) {
        acceptStreams(account)(server, taken);
        return;
      }
      // The system passes these on from a listening socket to its connections.
      listening.setNoDelay(true);
      listening.setKeepAlive(true, KEEP_ALIVE_SECS);
      listening.onconnection = (status, handle) => {
        if (handle === undefined) server.emit('error', systemError('accept', status));
        else taken(new HandleSocket(handle, memory));
      };
    },
    dial: ({ ip, port }, done, willRead = false) => {
      const handle = native.makeTcp();
      const socket = new HandleSocket(handle, memory);
      const request = native.makeConnect();
      request.oncomplete = (status) => {
        if (!socket.isOpen) return;
        if (status === 0) dialed(socket);
        else socket.destroy();
        done(status === 0 ? undefined : getSystemErrorName(status));
        // Nobody has taken it yet: what it says must wait in the system.
        if (socket.owner === NOBODY) socket.pause();
      };
      const status = ip.includes(':')
        ? handle.connect6(request, ip, port)
        : handle.connect(request, ip, port);
      if (status === 0) {
        if (willRead) socket.read();
        return socket;
      }
      socket.destroy();
      throw systemError('connect', status);
    },
  };
};

/** The best sockets that the platform has. */
export const makeSockets = (setup: SocketsSetup): Sockets => {
  const native = findNative();
  return native === undefined ? makeStreamSockets(setup) : makeHandleSockets(native, setup);
};
