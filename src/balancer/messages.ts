/** What goes into a balancer and what comes out: events in the past tense, commands in the imperative. Pure data. */
import type { Address } from '../address.ts';
import type { CloseReason } from '../close-reason.ts';
import type { ClientPolicy } from '../config/config.ts';
import type { DialCause } from '../event.ts';
import type { Resolution } from '../interpreter/interpreter.ts';

/** Something happened at `at`, in ms of the scheduler; times never go backwards. */
export type Event =
  /** A connection wants an endpoint until `deadline`. */
  | { readonly t: 'arrived'; readonly at: number; readonly conn: number; readonly deadline: number }
  /** The client of a waiting connection went away. */
  | { readonly t: 'departed'; readonly at: number; readonly conn: number; readonly detail: string }
  | { readonly t: 'resolved'; readonly at: number; readonly resolution: Resolution }
  | { readonly t: 'connected'; readonly at: number; readonly dial: number }
  | {
      readonly t: 'connectFailed';
      readonly at: number;
      readonly dial: number;
      readonly cause: DialCause;
      readonly detail: string;
    }
  /** The first byte came from the endpoint of a stream. */
  | { readonly t: 'answered'; readonly at: number; readonly dial: number }
  /** A stream ended. `spurned`: the endpoint ended it before its first byte, with the client still there. */
  | { readonly t: 'closed'; readonly at: number; readonly dial: number; readonly spurned: boolean }
  /** What streams have moved since the last sample, in bytes by the text of their endpoint. */
  | {
      readonly t: 'sampled';
      readonly at: number;
      readonly moved: ReadonlyMap<string, number>;
    }
  /** The endpoint closed a spare. */
  | { readonly t: 'lost'; readonly at: number; readonly dial: number }
  /** The time has come that `nextDue` named. */
  | { readonly t: 'ticked'; readonly at: number }
  /** The policy changed; running dials keep the old one. */
  | { readonly t: 'configured'; readonly at: number; readonly policy: ClientPolicy }
  /** The name is let go: spares close, and nothing arrives any more. */
  | { readonly t: 'released'; readonly at: number };

/** Something to do, in this order. */
export type Command =
  /** Open a connection, for `conn` unless it is a spare; its outcome is `connected` or `connectFailed`. */
  | {
      readonly t: 'connect';
      readonly dial: number;
      readonly address: Address;
      readonly conn?: number;
    }
  /** Drop a dial whose outcome nobody waits for. */
  | { readonly t: 'abort'; readonly dial: number }
  /** Close a connected spare. */
  | { readonly t: 'close'; readonly dial: number }
  /** Watch a connected spare while it is idle. */
  | { readonly t: 'watch'; readonly dial: number }
  /** Join a client with a connected dial; the stream ends with `closed`. */
  | {
      readonly t: 'dispatch';
      readonly conn: number;
      readonly dial: number;
      readonly address: Address;
      readonly attempts: number;
    }
  /** Turn a client away. */
  | {
      readonly t: 'refuse';
      readonly conn: number;
      readonly reason: CloseReason;
      readonly attempts: number;
      readonly detail?: string;
    }
  /** Tell the world that an endpoint was put aside or came back. */
  | {
      readonly t: 'tell';
      readonly what: 'failed' | 'restored';
      readonly address: Address;
      readonly penaltyMs?: number;
    };
