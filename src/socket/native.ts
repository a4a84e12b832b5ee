/**
 * What Node does not show: the TCP handles below its sockets. All that is internal stands in this file, and is
 * looked at before it is used; where anything is not as it was, there is none of it, and Node’s own sockets serve.
 * Source: lib/net.js and src/stream_base.cc of Node 20; seen to hold on 24 and 26.
 */

import { Socket as NodeSocket, type Server } from 'node:net';
import { showPeer } from '../address.ts';
import { findWrapTls, type WrapTls } from './native-tls.ts';

/** A request of the platform. What is in flight is kept alive by the platform. */
export interface WriteRequest {
  oncomplete?: (this: WriteRequest, status: number, handle: StreamHandle) => void;
  /** Kept from collection until it is written. */
  bytes?: Buffer | undefined;
}

/** A dial in flight. */
export interface ConnectRequest {
  oncomplete?: (status: number, handle: TcpHandle) => void;
}

/** What bytes come from and go to. Numbers below zero are errors of the system. */
export interface StreamHandle {
  /** Ours: who hears it. */
  listener?: HandleListener | undefined;
  onread?: (this: StreamHandle) => Buffer | undefined;
  readonly useUserBuffer: (memory: Buffer) => void;
  readonly readStart: () => number;
  readonly readStop: () => number;
  readonly writeBuffer: (request: WriteRequest, bytes: Buffer) => number;
  readonly shutdown: (request: object) => number;
}

interface Named {
  address?: string;
  port?: number;
}

/** A TCP connection, or a listening socket. */
export interface TcpHandle extends StreamHandle {
  onconnection?: (status: number, handle: TcpHandle | undefined) => void;
  readonly writeQueueSize: number;
  readonly close: () => void;
  readonly reset: () => number;
  readonly connect: (request: ConnectRequest, ip: string, port: number) => number;
  readonly connect6: (request: ConnectRequest, ip: string, port: number) => number;
  readonly getpeername: (out: Named) => number;
  readonly getsockname: (out: Named) => number;
  readonly setNoDelay: (on: boolean) => number;
  readonly setKeepAlive: (on: boolean, delaySecs: number) => number;
}

/** Hears a handle. */
export interface HandleListener {
  /** Bytes were read into the memory given, or an error: see `lastRead`. Gives other memory for the next read. */
  readonly heard: () => Buffer | undefined;
  /** A late write of so many bytes is over. */
  readonly wrote: (length: number, status: number) => void;
}

/** The platform’s handles and requests. */
export interface Native {
  readonly makeTcp: () => TcpHandle;
  readonly makeWrite: () => WriteRequest;
  readonly makeShutdown: () => object;
  readonly makeConnect: () => ConnectRequest;
  readonly wrapTls: WrapTls;
  /** What the last read brought. */
  readonly lastRead: () => number;
  /** Whether the last write was not taken at once. */
  readonly isLastWriteLate: () => boolean;
  /** The number that a read gives for the peer’s end. */
  readonly endOfFile: number;
}

type Maker<T> = new (kind?: number) => T;

// One function for all handles: a socket makes no closure.
const onRead = function (this: StreamHandle): Buffer | undefined {
  return this.listener?.heard();
};

/** What a write calls that was not taken at once. */
export const onWritten = function (this: WriteRequest, status: number, handle: StreamHandle): void {
  const length = this.bytes?.length ?? 0;
  this.bytes = undefined;
  handle.listener?.wrote(length, status);
};

/** Has a handle read into this memory from now on, and tell its listener. */
export const readInto = (handle: StreamHandle, memory: Buffer): void => {
  handle.onread = onRead;
  handle.useUserBuffer(memory);
};

const METHODS: readonly (keyof TcpHandle)[] = [
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'shutdown',
  'close',
  'reset',
  'connect',
  'connect6',
  'getpeername',
  'getsockname',
  'setNoDelay',
  'setKeepAlive',
];

/** Gives a module of the platform, as an object of anything. Errors: throws where there is none. */
export type Binding = (name: string) => Readonly<Record<string, unknown>>;

/** Those of this process. */
export const bindingOf: Binding = (name) => {
  const binding: unknown = Reflect.get(process, 'binding');
  const found: unknown = typeof binding === 'function' ? binding.call(process, name) : undefined;
  if (typeof found !== 'object' || found === null) throw new Error(`no ${name}`);
  return found as Readonly<Record<string, unknown>>;
};

const maker = <T>(value: unknown): Maker<T> => {
  if (typeof value !== 'function') throw new Error('no constructor');
  return value as Maker<T>;
};

const number = (value: unknown): number => {
  if (typeof value !== 'number') throw new Error('no number');
  return value;
};

const isTcpHandle = (value: unknown): value is TcpHandle =>
  typeof value === 'object' &&
  value !== null &&
  METHODS.every((name) => typeof Reflect.get(value, name) === 'function');

const named = (status: number, { address, port }: Named): string | undefined =>
  status !== 0 || address === undefined || port === undefined ? undefined : showPeer(address, port);

/** The address of a connection’s peer, `ip:port`; `undefined`: it has none any more. */
export const peerOf = (handle: TcpHandle): string | undefined => {
  const found: Named = {};
  return named(handle.getpeername(found), found);
};

/** The address of our end, `ip:port`. */
export const localOf = (handle: TcpHandle): string | undefined => {
  const found: Named = {};
  return named(handle.getsockname(found), found);
};

/** The handle of a server that listens; `undefined`: it has another, as a worker that is handed its connections. */
export const listeningHandle = (server: Server): TcpHandle | undefined => {
  const handle: unknown = Reflect.get(server, '_handle');
  return isTcpHandle(handle) ? handle : undefined;
};

/** The TCP socket below a TLS socket where Node shows one, or the socket itself. */
export const transportOf = (socket: NodeSocket): NodeSocket | undefined => {
  if (!('encrypted' in socket)) return socket;
  const below: unknown = Reflect.get(socket, '_parent');
  return below instanceof NodeSocket ? below : undefined;
};

const find = (binding: Binding): Native => {
  const tcp = binding('tcp_wrap');
  const stream = binding('stream_wrap');
  const Tcp = maker<TcpHandle>(tcp['TCP']);
  const Connect = maker<ConnectRequest>(tcp['TCPConnectWrap']);
  const Write = maker<WriteRequest>(stream['WriteWrap']);
  const Shutdown = maker<object>(stream['ShutdownWrap']);
  const state = stream['streamBaseState'];
  if (!(state instanceof Int32Array)) throw new Error('no state');
  const read = number(stream['kReadBytesOrError']);
  const late = number(stream['kLastWriteWasAsync']);
  const kind = number(Reflect.get(Object(tcp['constants']), 'SOCKET'));
  const probe = new Tcp(kind);
  probe.close();
  if (!isTcpHandle(probe)) throw new Error('another handle');
  return {
    makeTcp: () => new Tcp(kind),
    makeWrite: () => new Write(),
    makeShutdown: () => new Shutdown(),
    makeConnect: () => new Connect(),
    wrapTls: findWrapTls(binding),
    lastRead: () => state[read] ?? 0,
    isLastWriteLate: () => state[late] !== 0,
    endOfFile: number(binding('uv')['UV_EOF']),
  };
};

/**
 * The platform’s handles; `undefined` where they cannot be had as they are known. Linux only: elsewhere a read may
 * hold on to its memory before bytes come, and what a listening socket is told does not pass to its connections.
 */
export const findNative = (
  platform: string = process.platform,
  binding: Binding = bindingOf,
): Native | undefined => {
  if (platform !== 'linux') return undefined;
  try {
    return find(binding);
  } catch {
    // The fallback is as correct, and only slower.
    return undefined;
  }
};
