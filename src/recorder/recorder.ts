/** The recorder of a process: what its balancers were told and what they decided, for the last minutes. Never payload. */
import { createHmac, randomBytes } from 'node:crypto';
import { freeze } from '../balancer/freeze.ts';
import type { Command, Event } from '../balancer/messages.ts';
import type { State } from '../balancer/state.ts';
import type { RecorderConfig } from '../config/config.ts';
import type { Envelope } from '../envelope.ts';
import type { Timers } from '../timers.ts';
import type { RecorderGauges } from '../view.ts';
import { readSegment } from './read.ts';
import { Segment } from './segment.ts';
import { writeCheckpoint, writeEnvelope, writeGone, writeStep } from './write.ts';

/** A recording is kept in so many segments; the oldest one makes room. */
const SEGMENTS = 8;

/** Memory is taken in pieces of at most so many bytes; of a small recording, in smaller ones. */
const MOST_PIECE = 64 * 1024;

/** A segment has so many pieces at least. */
const PIECES = 16;

const pieceOf = (maxBytes: number): number =>
  Math.min(MOST_PIECE, 8 * Math.floor(maxBytes / SEGMENTS / PIECES / 8));

/** Names are written down until so many endpoints, waiters and dials have been; then the event loop turns. */
const SLICE = 1000;

/** From one slice to the next. */
const PAUSE_MS = 1;

/** What a name costs beside what it holds, in the same measure. */
const NAME_COST = 20;

/** Where a balancer’s steps are told to. */
export interface Track {
  readonly note: (event: Event, commands: readonly Command[]) => void;
  /** The balancer is over. */
  readonly end: () => void;
}

interface Name {
  readonly id: number;
  readonly rt: string;
  readonly dst: string;
  readonly state: State;
  /** The number of the last segment that it was written down in. */
  segment: number;
}

const costOf = ({ endpoints, waiters, dials }: State): number =>
  NAME_COST + endpoints.size + waiters.size + dials.size;

/**
 * Records at the border of the pure core: envelopes as they leave the operators, the events of each balancer with its
 * commands, and from time to time what each balancer knows. Bounds: `maxBytes`, beyond them by one record at most.
 * It costs nothing while it is off, and some writes to memory for each event while it is on.
 */
export class Recorder {
  readonly #timers: Timers;
  readonly #names = new Set<Name>();
  readonly #key = randomBytes(32);
  #config: RecorderConfig | undefined;
  #segments: Segment[] = [];
  #current: Segment | undefined;
  /** Its number, from 1. */
  #number = 0;
  /** Names that are yet to be written down in this segment. */
  #left: Iterator<Name> | undefined;
  /** A segment is left when its time is up or it has its share; while names are written down to it, it may have half of all. */
  #leaveAt = 0;
  #leaveBytes = 0;
  #lastId = 0;
  #overflows = 0;
  /** Nothing is recorded before. */
  #pausedUntil = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** `undefined`: nothing is recorded, and nothing is kept of what was. */
  configure(config: RecorderConfig | undefined): void {
    const before = this.#config;
    this.#config = config;
    this.#pausedUntil = 0;
    // Limits that have changed count from the next segment on.
    this.#leaveAt = 0;
    if (config === undefined || before?.hashAddresses !== config.hashAddresses) this.#clear();
    else this.#trim(config.maxBytes);
  }

  /** Follows a balancer; its state is read now and again, and never changed. */
  open(rt: string, dst: string, state: State): Track {
    const name: Name = { id: ++this.#lastId, rt, dst, state, segment: 0 };
    this.#names.add(name);
    const segment = this.#segment();
    if (segment !== undefined) this.#writeDown(name, segment);
    return {
      note: (event, commands) => {
        const to = this.#segment(event.at);
        if (to !== undefined) writeStep(to, name.id, event, commands);
      },
      end: () => {
        this.#names.delete(name);
        const to = this.#segment();
        if (to !== undefined) writeGone(to, name.id);
      },
    };
  }

  /** A connection as it left the operators. */
  readonly came = (envelope: Envelope): void => {
    if (this.#config === undefined) return;
    const to = this.#segment(Math.max(envelope.at, this.#current?.until ?? 0));
    if (to !== undefined)
      writeEnvelope(to, this.#config.hashAddresses ? this.#hashed(envelope) : envelope);
  };

  /** What is there now, line by line, oldest first; what happens meanwhile is not in it. */
  lines(): Iterable<string> {
    const { minutes = 0 } = this.#config ?? {};
    const oldest = this.#timers.now() - minutes * 60_000;
    const kept = this.#segments.filter(
      (segment) => segment.until >= oldest || segment === this.#current,
    );
    const written = kept.map((segment) => segment.written());
    return (function* () {
      for (const one of written) yield* readSegment(one);
    })();
  }

  /** `undefined`: it is off. */
  gauges(): RecorderGauges | undefined {
    if (this.#config === undefined) return undefined;
    const [oldest] = this.#segments;
    return {
      bytes: this.#bytes(),
      seconds: oldest === undefined ? 0 : (this.#timers.now() - oldest.since) / 1000,
      overflows: this.#overflows,
    };
  }

  /** The segment to write to; `undefined`: nothing is recorded now. */
  #segment(now: number = this.#timers.now()): Segment | undefined {
    const config = this.#config;
    if (config === undefined) return undefined;
    const current = this.#current;
    const isDue = now >= this.#leaveAt && this.#left === undefined;
    if (current !== undefined && !isDue && current.bytes < this.#leaveBytes) {
      current.until = now;
      return current;
    }
    if (now < this.#pausedUntil) return undefined;
    if (this.#left !== undefined) return this.#overflow(config, now);
    return this.#begin(config, now);
  }

  /** What is known of all names does not fit: after a while it is tried again. */
  #overflow({ minutes }: RecorderConfig, now: number): undefined {
    this.#overflows += 1;
    this.#clear();
    this.#pausedUntil = now + (minutes * 60_000) / SEGMENTS;
  }

  #begin({ minutes, maxBytes }: RecorderConfig, now: number): Segment {
    const segment = new Segment(now, pieceOf(maxBytes));
    this.#number += 1;
    this.#segments.push(segment);
    this.#current = segment;
    this.#leaveAt = now + (minutes * 60_000) / SEGMENTS;
    this.#leaveBytes = maxBytes / 2;
    // One more than are wanted: the oldest is cut by age when it is told.
    if (this.#segments.length > SEGMENTS + 1) this.#segments.shift();
    this.#trim(maxBytes - maxBytes / SEGMENTS);
    this.#left = this.#names.values();
    this.#timers.after(0, () => this.#slice(segment));
    return segment;
  }

  /** Writes some names down, and comes again for the rest. */
  #slice(segment: Segment): void {
    const config = this.#config;
    if (this.#current !== segment || this.#left === undefined || config === undefined) return;
    const { maxBytes } = config;
    for (let cost = 0; cost < SLICE; ) {
      const { value: name, done } = this.#left.next();
      if (done === true) {
        this.#complete(segment, maxBytes);
        return;
      }
      if (name.segment === this.#number) continue;
      cost += costOf(name.state);
      this.#writeDown(name, segment);
      if (segment.bytes >= this.#leaveBytes) {
        this.#overflow(config, this.#timers.now());
        return;
      }
    }
    this.#trim(maxBytes);
    this.#timers.after(PAUSE_MS, () => this.#slice(segment));
  }

  /** All names are written down. Events may take as much again at least, or writing names down would be most of the work. */
  #complete(segment: Segment, maxBytes: number): void {
    this.#left = undefined;
    this.#leaveBytes = Math.max(maxBytes / SEGMENTS, 2 * segment.bytes);
    this.#trim(maxBytes - this.#leaveBytes + segment.bytes);
  }

  /** Lets the oldest segments go until the rest takes no more than this. */
  #trim(bytes: number): void {
    while (this.#segments.length > 1 && this.#bytes() > bytes) this.#segments.shift();
  }

  #writeDown(name: Name, segment: Segment): void {
    name.segment = this.#number;
    writeCheckpoint(segment, name, freeze(name.state));
  }

  #bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #clear(): void {
    this.#segments = [];
    this.#current = undefined;
    this.#left = undefined;
  }

  /** The same address gives the same hash until the process ends, whatever its port; nobody knows the key. */
  #hash(address: string): string {
    const colon = address.lastIndexOf(':');
    const hash = createHmac('sha256', this.#key).update(address.slice(0, colon)).digest('hex');
    return `${hash.slice(0, 16)}${address.slice(colon)}`;
  }

  #hashed(envelope: Envelope): Envelope {
    const { src, peer, local, cert } = envelope;
    return {
      ...envelope,
      src: this.#hash(src),
      peer: peer && this.#hash(peer),
      local: local && this.#hash(local),
      cert: cert && { ...cert, ips: [] },
    };
  }
}
