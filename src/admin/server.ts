/** The admin server: HTTP on its own listener, away from the streams. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { Observable } from 'rxjs';
import { type Address, showPeer } from '../address.ts';
import type { Env } from '../env.ts';
import { listenError } from '../listen-error.ts';
import { type AdminHandlers, type Answer, answer } from './routes.ts';

export type { AdminHandlers } from './routes.ts';

/** A bound admin server. */
export interface AdminServer {
  /** The bound address, `ip:port`. */
  readonly address: string;
  /** Stops listening and ends idle connections; answers in progress are finished. */
  readonly close: () => void;
}

/** Against clients that take their time. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
} as const;

/** A connection without a byte for so long is cut: a reader that stalls must not hold its answer for ever. */
const SILENCE_MS = 60_000;

const MOST_CONNECTIONS = 256;
const MOST_HEADERS = 100;

/** Most bytes of a body, which nobody reads. */
const MOST_BODY_BYTES = 64 * 1024;

const CONTENT_LENGTH = (body: string) => ({ 'content-length': Buffer.byteLength(body) });

/** Resolves when more can be written, or nobody reads any more. */
const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });

const send = async (
  response: ServerResponse,
  { status, type, body, allow, after }: Answer,
): Promise<void> => {
  if (response.destroyed) after?.();
  else if (after !== undefined) response.once('close', after);
  response.writeHead(status, {
    'content-type': type,
    ...(typeof body === 'string' ? CONTENT_LENGTH(body) : {}),
    ...(allow === undefined ? {} : { allow }),
    // A page must not read what it was not meant to have, whatever it believes the answer to be.
    'x-content-type-options': 'nosniff',
  });
  if (typeof body === 'string') {
    response.end(body);
    return;
  }
  for await (const part of body) {
    if (response.destroyed) return;
    if (!response.write(part)) await drained(response);
  }
  response.end();
};

/** Reads a body to nowhere: none is wanted. One that does not end is cut. */
const discardBody = (request: IncomingMessage): void => {
  let read = 0;
  request.on('data', (bytes: Buffer) => {
    read += bytes.length;
    if (read > MOST_BODY_BYTES) request.destroy();
  });
};

/** Answers what is no HTTP. */
const refuseRubbish = (_error: Error, socket: Duplex): void => {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', () =>
    socket.destroy(),
  );
};

const makeServer = (handlers: AdminHandlers, { log }: Env): Server => {
  const server = createServer(TIMEOUTS, (request, response) => {
    discardBody(request);
    answer(request, handlers)
      .then((found) => send(response, found))
      .catch((error: unknown) => {
        log('error', 'an admin request broke', { url: request.url, error: String(error) });
        response.destroy();
      });
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.maxHeadersCount = MOST_HEADERS;
  server.timeout = SILENCE_MS;
  server.on('clientError', refuseRubbish);
  return server;
};

const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';

const boundTo = (server: Server, { text: asked }: Address): string => {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? showPeer(bound.address, bound.port) : asked;
};

/** What is told of a server that listens from now on. */
const tell = (server: Server, { ip }: Address, { addr, log }: Env & { readonly addr: string }) => {
  server.on('error', (error) => log('error', 'admin server failed', { error: error.message }));
  log('info', 'admin listening', { addr });
  if (!isLoopback(ip))
    log('warn', 'the admin server has no authentication and listens beyond loopback', { addr });
};

/**
 * Binds the admin server: emits it, or one line on why there is none, and completes.
 * Owns: its listener until it is emitted; unsubscribing before that closes it.
 */
export const bindAdmin = (
  address: Address,
  handlers: AdminHandlers,
  env: Env,
): Observable<Either<string, AdminServer>> =>
  new Observable((out) => {
    const server = makeServer(handlers, env);
    let isHandedOver = false;
    const refused = (error: Error): void => {
      isHandedOver = true;
      out.next(left(listenError(address, error, 'admin.port')));
      out.complete();
    };
    // Node ends idle connections by itself here.
    const close = (): void => {
      server.close();
    };
    server.once('error', refused);
    server.listen({ host: address.ip, port: address.port }, () => {
      server.off('error', refused);
      const addr = boundTo(server, address);
      tell(server, address, { ...env, addr });
      isHandedOver = true;
      out.next(right({ address: addr, close }));
      out.complete();
    });
    out.add(() => isHandedOver || close());
  });
