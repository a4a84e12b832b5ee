/** What the world did in a recording: who came, what names were, how endpoints behaved. Pure. */

import type { FrozenState } from '../balancer/frozen.ts';
import type { FrozenCommand, FrozenEvent } from '../balancer/frozen-messages.ts';
import { thawResolution } from '../balancer/frozen-messages.ts';
import { thawSet, thawUnion } from '../balancer/thaw.ts';
import type { CloseReason } from '../close-reason.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import type { EnvelopeLine, Line } from '../recorder/lines.ts';
import type { At } from '../simulate/scenario.ts';
import { type Behaviour, WELL } from '../testing/network.ts';

/** Somebody who came. */
export interface Visitor {
  readonly at: number;
  readonly envelope: EnvelopeLine;
  /** From its dispatch to its end; absent: it was never dispatched, or had not ended. */
  lastsMs?: number;
  /** It went away so long after it had come. */
  patienceMs?: number;
  /** It was dispatched. */
  isDispatched: boolean;
  /** Why it was refused. */
  reason?: CloseReason;
}

/** How an endpoint took one dial, from then on. */
export interface Dialed {
  readonly at: number;
  readonly address: string;
  behaviour: Behaviour;
}

/** The world of one process. Times are in ms from its first line. */
export interface RecordedWorld {
  readonly core: number;
  readonly durationMs: number;
  readonly visitors: readonly Visitor[];
  /** By router and name, as `keyOf` says. */
  readonly names: ReadonlyMap<string, readonly At<Resolution>[]>;
  readonly dials: readonly Dialed[];
}

/** One string for a name of a router. */
export const keyOf = (rt: string, dst: string): string => JSON.stringify([rt, dst]);

interface Dial {
  readonly dialed: Dialed;
  readonly conn: number | undefined;
  dispatchedAt?: number;
}

interface Name {
  readonly key: string;
  readonly dials: Map<number, Dial>;
}

type Step = Extract<Line, { readonly t: 'step' }>;

/** Whether a step tells a connection that its time is up. */
const isTooLate = (commands: readonly FrozenCommand[], conn: number | undefined): boolean =>
  commands.some(
    (one) => one.t === 'refuse' && one.conn === conn && one.reason === 'connect-timeout',
  );

/** What a balancer that was there before knew of its name. */
const resolutionOf = ({ resolution, endpoints, union, reform }: FrozenState): Resolution => {
  if (resolution !== 'bound') return { t: resolution };
  const set = reform?.wanted ?? endpoints.filter(({ state = 'available' }) => state !== 'retired');
  const bound = { t: 'bound', endpoints: thawSet(set) } as const;
  return union === undefined ? bound : { ...bound, union: thawUnion(union) };
};

/** One process; takes its lines in order. */
class Core {
  readonly core: number;
  readonly #names = new Map<number, Name>();
  readonly #said = new Map<string, At<Resolution>[]>();
  readonly #visitors = new Map<number, Visitor>();
  readonly #dials: Dialed[] = [];
  #from = Number.POSITIVE_INFINITY;
  #until = 0;

  constructor(core: number) {
    this.core = core;
  }

  take(line: Line): void {
    if (line.t === 'checkpoint') this.#checkpoint(line);
    else if (line.t === 'envelope') {
      this.#passed(line.at);
      this.#visitors.set(line.id, { at: line.at, envelope: line, isDispatched: false });
    } else if (line.t === 'step') {
      const name = this.#names.get(line.name);
      if (name === undefined) return;
      this.#passed(line.event.at);
      this.#event(name, line.event);
      for (const command of line.commands) this.#command(name, command, line);
    }
  }

  world(): RecordedWorld {
    const from = Number.isFinite(this.#from) ? this.#from : 0;
    const later = <T extends { readonly at: number }>(one: T): T => ({ ...one, at: one.at - from });
    const byTime = (a: { readonly at: number }, b: { readonly at: number }) => a.at - b.at;
    return {
      core: this.core,
      durationMs: Math.max(0, this.#until - from),
      visitors: [...this.#visitors.values()].map(later).sort(byTime),
      names: new Map([...this.#said].map(([key, said]) => [key, said.map(later)])),
      dials: this.#dials.map(later).sort(byTime),
    };
  }

  #passed(at: number): void {
    this.#from = Math.min(this.#from, at);
    this.#until = Math.max(this.#until, at);
  }

  #checkpoint({ name, rt, dst, state }: Extract<Line, { t: 'checkpoint' }>): void {
    if (this.#names.has(name)) return;
    const key = keyOf(rt, dst);
    this.#names.set(name, { key, dials: new Map() });
    this.#say(key, { at: this.#until, value: resolutionOf(state) });
  }

  /** Once something good is known, what says nothing does not count: a name that is asked for later has what is known. */
  #say(key: string, said: At<Resolution>): void {
    const known = this.#said.get(key);
    if (known === undefined) this.#said.set(key, [said]);
    else if (said.value.t === 'bound' || said.value.t === 'neg') known.push(said);
  }

  #event({ key, dials }: Name, event: FrozenEvent): void {
    if (event.t === 'resolved') {
      const { at, resolution } = event;
      if (resolution.t !== 'confirmed') this.#say(key, { at, value: thawResolution(resolution) });
    } else if (event.t === 'departed') {
      const visitor = this.#visitors.get(event.conn);
      // One that was turned away goes away as well.
      if (visitor?.reason === undefined && visitor?.isDispatched === false)
        visitor.patienceMs = event.at - visitor.at;
    } else if ('dial' in event) {
      const dial = dials.get(event.dial);
      if (dial !== undefined) this.#dialEvent(dial, event);
      if (event.t === 'closed' || event.t === 'connectFailed') dials.delete(event.dial);
    }
  }

  #dialEvent(dial: Dial, event: Extract<FrozenEvent, { readonly dial: number }>): void {
    const { dialed, conn, dispatchedAt = event.at } = dial;
    const { behaviour } = dialed;
    const ms = event.at - dialed.at;
    switch (event.t) {
      case 'connected':
        dialed.behaviour = { ...behaviour, health: 'up', connectMs: ms };
        break;
      case 'connectFailed':
        // Trouble of our own says nothing about the endpoint.
        if (event.cause === 'local') break;
        dialed.behaviour = {
          ...behaviour,
          health: event.cause === 'timeout' ? 'hangs' : 'refuses',
          connectMs: ms,
        };
        break;
      case 'answered':
        dialed.behaviour = { ...behaviour, firstByteMs: event.at - dispatchedAt };
        break;
      case 'closed': {
        const visitor = conn === undefined ? undefined : this.#visitors.get(conn);
        if (visitor !== undefined) visitor.lastsMs = event.at - dispatchedAt;
        if (event.spurned)
          dialed.behaviour = {
            ...behaviour,
            health: 'resets',
            firstByteMs: event.at - dispatchedAt,
          };
        break;
      }
      default:
        break;
    }
  }

  #command({ dials }: Name, command: FrozenCommand, { event: { at }, commands }: Step): void {
    if (command.t === 'abort') {
      const dial = dials.get(command.dial);
      dials.delete(command.dial);
      // Given up at once it says nothing; where its connection had no more time, the endpoint had swallowed it.
      if (dial !== undefined && isTooLate(commands, dial.conn))
        dial.dialed.behaviour = { ...WELL, health: 'hangs' };
    } else if (command.t === 'connect') {
      const dialed: Dialed = { at, address: command.address, behaviour: WELL };
      this.#dials.push(dialed);
      dials.set(command.dial, { dialed, conn: command.conn });
    } else if (command.t === 'dispatch') {
      const dial = dials.get(command.dial);
      const visitor = this.#visitors.get(command.conn);
      if (visitor !== undefined) visitor.isDispatched = true;
      if (dial !== undefined)
        dials.set(command.dial, { ...dial, conn: command.conn, dispatchedAt: at });
    } else if (command.t === 'refuse') {
      const visitor = this.#visitors.get(command.conn);
      if (visitor !== undefined) visitor.reason = command.reason;
    }
  }
}

/** Takes the lines of a recording, in order; gives the world of each process. */
export class Worlds {
  readonly #cores: Core[] = [];

  take(line: Line): void {
    if (line.t === 'core') this.#cores.push(new Core(line.core));
    else this.#cores.at(-1)?.take(line);
  }

  worlds(): readonly RecordedWorld[] {
    return this.#cores.map((core) => core.world());
  }
}
