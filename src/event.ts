/** Everything that happens in a router, past tense and plain data: what metrics count and the log tells. */
import type { Close } from './close-reason.ts';
import type { Envelope } from './envelope.ts';
import type { Path } from './path.ts';

/** Why a dial failed, as metrics name it; `local` is our own trouble and counts against no endpoint. */
export type DialCause = 'timeout' | 'refused' | 'local' | 'other';

/** The life of one inbound connection, told at its end. Times are ms; those that never came are absent. */
export interface ConnectionRecord {
  readonly envelope: Envelope;
  /** Address of the endpoint that it reached. */
  readonly endpoint?: string;
  /** Dials made for it. */
  readonly attempts: number;
  /** Bytes read from the client. */
  readonly rx: number;
  /** Bytes written to the client. */
  readonly tx: number;
  /** Accept → dispatched to an endpoint. */
  readonly connectMs?: number;
  /** Dispatched → first byte from the endpoint. */
  readonly firstByteMs?: number | undefined;
  /** Accept → end. */
  readonly totalMs: number;
  readonly close: Close;
}

/** What a peeked connection began with; `late`: nothing that could be told in time; `ended`: nor before its end. */
export type Peeked = 'hello' | 'plain' | 'late' | 'ended';

/** Events of one server; `srv` is its `ip:port`. */
export type ServerEvent =
  /** The listener takes connections. */
  | { readonly t: 'listening'; readonly rt: string; readonly srv: string }
  /** The listener is closed; its streams may live on. */
  | { readonly t: 'unlistened'; readonly rt: string; readonly srv: string }
  | { readonly t: 'accepted'; readonly rt: string; readonly srv: string }
  /** A TLS handshake with a client succeeded. */
  | {
      readonly t: 'secured';
      readonly rt: string;
      readonly srv: string;
      readonly us: number;
      readonly isResumed: boolean;
    }
  /** A ClientHello was looked for, and what was found instead. */
  | {
      readonly t: 'peeked';
      readonly rt: string;
      readonly srv: string;
      readonly found: Peeked;
    }
  /** Turned away before it had an envelope: no name, nothing read. */
  | {
      readonly t: 'rejected';
      readonly rt: string;
      readonly srv: string;
      readonly src: string;
      readonly close: Close;
    }
  /** A client is ready to be routed. */
  | { readonly t: 'arrived'; readonly envelope: Envelope };

/** Events of one name of one router. */
export type NameEvent =
  /** The first envelope of a name made its balancer. */
  | { readonly t: 'named'; readonly rt: string; readonly dst: Path }
  /** The name was let go: its series and its balancer are gone. */
  | { readonly t: 'unnamed'; readonly rt: string; readonly dst: Path }
  /** An envelope has its balancer, `isNew` or known; finding or making it took `us`. */
  | {
      readonly t: 'routed';
      readonly rt: string;
      readonly dst: Path;
      readonly isNew: boolean;
      readonly us: number;
    }
  /** An envelope found no balancer. */
  | { readonly t: 'unrouted'; readonly rt: string }
  | { readonly t: 'dialed'; readonly rt: string; readonly dst: Path; readonly endpoint: string }
  | {
      readonly t: 'connected';
      readonly rt: string;
      readonly dst: Path;
      readonly endpoint: string;
      readonly us: number;
    }
  | {
      readonly t: 'dialFailed';
      readonly rt: string;
      readonly dst: Path;
      readonly endpoint: string;
      readonly cause: DialCause;
      readonly detail: string;
    }
  /** A client was paired with an endpoint. */
  | {
      readonly t: 'opened';
      readonly envelope: Envelope;
      readonly endpoint: string;
      readonly connectMs: number;
    }
  /** An endpoint was put aside, or came back. */
  | {
      readonly t: 'failed' | 'restored';
      readonly rt: string;
      readonly dst: Path;
      readonly endpoint: string;
      readonly penaltyMs?: number;
    }
  /** A connection with an envelope ended: refused, cut or finished. Exactly one for each `arrived`. */
  | { readonly t: 'ended'; readonly record: ConnectionRecord };

/** Events of look-ups. */
export type ResolverEvent = {
  readonly t: 'resolved';
  readonly rt: string;
  readonly namespace: string;
  readonly dst: Path;
  readonly ok: boolean;
  /** How long the answer took, in ms. */
  readonly ms: number;
  readonly cause?: string;
};

/** What an operator does that it should not; `name` is its kind, and where it stands in the file. */
export type OperatorEvent =
  /** It erred or completed; it begins anew after `pauseMs`. */
  | {
      readonly t: 'broke';
      readonly name: string;
      readonly error: string;
      readonly pauseMs: number;
    }
  /** It gave what it did not have: it was dropped. */
  | { readonly t: 'strayed'; readonly name: string }
  /** It ended, or was ended, while it kept so many. */
  | { readonly t: 'kept'; readonly name: string; readonly count: number };

/** Everything that a router tells. */
export type RouterEvent =
  | ServerEvent
  | NameEvent
  | ResolverEvent
  | ({ readonly rt: string } & OperatorEvent);
