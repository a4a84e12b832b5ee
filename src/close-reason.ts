/** Why a connection ended: the closed list that log, metrics and events share. Pure. */

/** Every reason, with what it means to an operator. */
export const CLOSE_REASONS = {
  end: 'both sides ended their direction and every byte was delivered',
  reset: 'one side reset the connection, or a write to it failed',
  departed: 'the client went away before it was connected to an endpoint',
  'idle-timeout': 'no byte moved in either direction for idleTimeoutMs',
  lifetime: 'the stream reached connectionLifetimeSecs',
  'half-close-timeout': 'one side had ended, and the other was silent for halfCloseTimeoutMs',
  'connect-timeout': 'no endpoint was reached within the server’s connectTimeoutMs',
  'connect-failed': 'every endpoint that could be tried refused, timed out or failed',
  'retry-budget': 'a dial failed and the retry budget of the name was spent',
  'no-such-name': 'the interpreter says that the name does not exist',
  'no-endpoints': 'the name has no endpoint that takes connections, and emptyWaitMs passed',
  'max-waiters': 'maxWaiters connections were already waiting for the name',
  'too-many-names': 'bindingCache.paths names were all in use',
  'max-concurrency': 'the server already held maxConcurrency connections',
  'fd-limit': 'the process is close to its limit of file descriptors',
  'max-buffered-bytes': 'unwritten bytes of all streams had reached maxBufferedBytes',
  'source-denied': 'the server’s sources do not let the client’s address in',
  'proxy-protocol':
    'the PROXY header was broken, late or missing, or came from a proxy that is not trusted',
  'client-hello': 'the client speaks TLS, and its ClientHello is broken or too long',
  unidentified: 'no rule of the server’s identify holds for the connection',
  operator: 'an operator of the router turned the connection away',
  'operator-failed': 'an operator broke while it held the connection, or had not begun anew',
  'operator-timeout': 'an operator kept the connection until its time was up',
  'tls-handshake': 'the TLS handshake with the client failed',
  'tls-timeout': 'the TLS handshake with the client took longer than its limit',
  shutdown: 'the daemon stopped and graceSecs had passed',
  internal: 'a fault of linkerd-tcp itself; the log says more',
} as const;

/** One of the reasons. */
export type CloseReason = keyof typeof CLOSE_REASONS;

/** The side that caused an end. */
export type Side = 'client' | 'endpoint' | 'proxy';

/** A reason with the rule that fired: `idle-timeout 600000ms routers[0].servers[1]`. */
export interface Close {
  readonly reason: CloseReason;
  readonly by: Side;
  /** The limit that fired, with its unit, such as `600000ms`. */
  readonly limit?: string;
  /** Where the limit is configured, such as `routers[0].servers[1]`. */
  readonly place?: string;
  /** What went wrong in the words of the system, such as `ECONNRESET`. */
  readonly detail?: string;
}

/** A close in one line: reason, limit and place, then the detail in parentheses. */
export const showClose = ({ reason, limit, place, detail }: Close): string =>
  [reason, limit, place, detail === undefined ? undefined : `(${detail})`]
    .filter((part) => part !== undefined)
    .join(' ');
