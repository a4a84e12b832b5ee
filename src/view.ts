/** Copies of live state for readers: what `/routers.json` shows. Plain data. */

import type { Envelope } from './envelope.ts';

/** One router. */
export interface RouterView {
  readonly label: string;
  readonly servers: readonly ServerView[];
  readonly names: readonly NameView[];
  /** Some of its connections, the oldest first, at most `MOST_CONNECTIONS`. */
  readonly connections: readonly ConnectionView[];
}

/** Most connections that are shown of a router. */
export const MOST_CONNECTIONS = 100;

/** One connection: what is known of it, and how long it has been here. */
export interface ConnectionView extends Omit<Envelope, 'rt' | 'at' | 'deadline'> {
  readonly ageMs: number;
  /** It has no endpoint yet. */
  readonly isWaiting: boolean;
}

/** One server that listens. */
export interface ServerView {
  /** The bound address, `ip:port`. */
  readonly address: string;
  readonly dstName: string;
  /** Connections held now: shaking hands, waiting or streaming. */
  readonly active: number;
  /** Of these, not yet connected to an endpoint. */
  readonly waiting: number;
}

/** One name that is bound. */
export interface NameView {
  readonly dst: string;
  /** The last thing the interpreter said that counts; `pending`: nothing yet. */
  readonly state: 'pending' | 'bound' | 'neg';
  /** The interpreter cannot confirm the state at present. */
  readonly stale: boolean;
  /** Since the last good answer, new or the same again; absent while there was none. */
  readonly resolutionAgeMs?: number;
  readonly waiters: number;
  readonly spares: number;
  readonly endpoints: readonly EndpointView[];
  /** Of a weighted union: what connections are divided among. */
  readonly branches?: readonly BranchView[];
}

/** One branch of a weighted union. */
export interface BranchView {
  /** The concrete name that its endpoints are of. */
  readonly id: string;
  /** What of all connections it gets now, 0..1; others have what a failed one leaves. */
  readonly share: number;
  /** Whether an endpoint in it takes connections. */
  readonly state: 'available' | 'failed';
}

/** One endpoint of a name. */
export interface EndpointView {
  readonly address: string;
  readonly state: 'available' | 'failed' | 'retired';
  readonly weight: number;
  /** dialing + open, spares included. */
  readonly load: number;
  readonly dialing: number;
  readonly open: number;
  readonly consecutiveFailures: number;
  /** Decayed peak of dial and first byte, where that is balanced by and known. */
  readonly latencyMs?: number;
  /** Decayed rate of its streams, where that is balanced by. */
  readonly bytesPerSec?: number;
  /** Until the next probe, while failed. */
  readonly penaltyMs?: number;
}

/** What the next connection of a name would meet, if it came now. */
export interface NextView {
  /** The candidates as they are drawn; the second one is only looked at when the first carries something. */
  readonly drawn: readonly {
    readonly address: string;
    /** What it carries for its weight: the lesser one gets it, mostly. */
    readonly score: number;
  }[];
  readonly chosen: string;
  /** It is connected already: nothing is drawn. */
  readonly isSpare: boolean;
}

/** What metrics need of a name at each scrape: counts only, cheap to make. */
export interface NameGauges {
  readonly rt: string;
  readonly dst: string;
  readonly available: number;
  readonly failed: number;
  readonly retired: number;
  readonly pending: number;
  readonly open: number;
  readonly waiters: number;
  /** Branches of a weighted union that take connections, and that do not; absent: there is no union. */
  readonly branches?: { readonly available: number; readonly failed: number };
  /** ms since the last good answer of the interpreter; absent while there was none. */
  readonly resolutionAgeMs?: number;
}

/** What metrics need of a server at each scrape. */
export interface ServerGauges {
  readonly rt: string;
  readonly srv: string;
  readonly active: number;
  readonly waiters: number;
  /** Bytes of the streams that are open now, read from and written to clients. */
  readonly rx: number;
  readonly tx: number;
}

/** What metrics need of a recorder at each scrape. */
export interface RecorderGauges {
  readonly bytes: number;
  /** How far it goes back. */
  readonly seconds: number;
  /** How often all of it was let go, since what is known of names alone did not fit. */
  readonly overflows: number;
}
