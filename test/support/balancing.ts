/** A balancer in virtual time: its world is scripted by diagrams, and what it commands is told as short texts. */
import {
  endWith,
  map,
  merge,
  NEVER,
  Observable,
  Subject,
  type Subscription,
  take,
  takeWhile,
} from 'rxjs';
import {
  balance,
  type Outcome,
  type Ports,
  type Status,
  type Tell,
} from '../../src/balancer/balance.ts';
import type { Command } from '../../src/balancer/messages.ts';
import type { State } from '../../src/balancer/state.ts';
import type { ClientPolicy } from '../../src/config/config.ts';
import type { Envelope } from '../../src/envelope.ts';
import type { Resolution } from '../../src/interpreter/interpreter.ts';
import type { Path } from '../../src/path.ts';
import type { Marbles } from '../../src/testing/marbles.ts';
import { makeTimers } from '../../src/timers.ts';
import { bound, POLICY, show } from './balancer.ts';

/** What a stub of an endpoint says: s connected, f refused, l our own trouble; b first byte, e end, k spurned; x lost. */
export type Stub = Observable<string>;

/** What comes of the first, the second … dial, stream or spare at an endpoint; the last goes for all that follow. */
type Stubs = Readonly<Record<string, Stub | readonly Stub[]>>;

/** What a test scripts. Diagrams are of letters that `NAMED` and `IDS` explain. */
export interface World {
  /** Connections as they arrive, `x y z u v w`. */
  readonly conns: string;
  /** How long each waits; for ever unless told. */
  readonly waitMs?: number;
  /** Clients that go away. */
  readonly gone?: string;
  /** Clients that have gone before they are routed. */
  readonly ghosts?: string;
  readonly names: string;
  readonly dials?: Stubs;
  readonly streams?: Stubs;
  readonly spares?: Stubs;
  readonly policy?: Partial<ClientPolicy>;
  /** Policies of reloads. */
  readonly policies?: Observable<Partial<ClientPolicy>>;
  readonly opened?: (state: State) => void;
  readonly status?: (status: Status) => void;
  /** What streams have moved, each time that it is asked. */
  readonly moved?: () => ReadonlyMap<string, number>;
}

/** Resolutions by letter: r bound to A, s to A and B, t to A, B and C, o to B; e empty; z all weights 0; n neg; p pending; f failed. */
export const NAMED: Readonly<Record<string, Resolution>> = {
  r: bound('A'),
  s: bound('A', 'B'),
  t: bound('A', 'B', 'C'),
  o: bound('B'),
  e: bound(),
  z: bound('A*0', 'B*0'),
  y: bound('A*0', 'B'),
  n: { t: 'neg' },
  p: { t: 'pending' },
  f: { t: 'failed', cause: 'no route' },
};

const IDS = '.xyzuvw';

const outcomeOf = (letter: string, dial: number): Outcome => {
  switch (letter) {
    case 's':
      return { t: 'connected', dial };
    case 'b':
      return { t: 'answered', dial };
    case 'x':
      return { t: 'lost', dial };
    case 'e':
    case 'k':
      return { t: 'closed', dial, spurned: letter === 'k' };
    default: {
      const cause = letter === 'l' ? 'local' : 'refused';
      return { t: 'connectFailed', dial, cause, detail: cause };
    }
  }
};

/** Plays the stubs of the world to the balancer. */
class ScriptedPorts implements Ports {
  readonly told$ = new Subject<string>();
  readonly #world: World;
  readonly #gone$: Observable<string>;
  readonly #addresses = new Map<number, string>();
  readonly #running = new Map<number, Subscription>();
  readonly #played = new Map<Stubs[string], number>();

  constructor(world: World, gone$: Observable<string>) {
    this.#world = world;
    this.#gone$ = gone$;
  }

  readonly watchClient = (conn: number, departed: (detail: string) => void): void => {
    if (this.#world.ghosts?.includes(IDS[conn] ?? '') === true) departed('closed');
    this.#gone$.subscribe((letter) => {
      if (IDS[conn] === letter) departed('closed');
    });
  };

  readonly perform = (command: Command, tell: Tell): void => {
    const { dials = {}, streams = {}, spares = {} } = this.#world;
    if (command.t === 'connect') this.#addresses.set(command.dial, command.address.text);
    this.told$.next(this.#text(command));
    if (!('dial' in command)) return;
    const { t, dial } = command;
    this.#running.get(dial)?.unsubscribe();
    if (t === 'connect') this.#play(dials, dial, { tell, most: 1 });
    if (t === 'watch') this.#play(spares, dial, { tell, most: 1 });
    if (t === 'dispatch') this.#play(streams, dial, { tell, most: Number.POSITIVE_INFINITY });
  };

  readonly sample = (): ReadonlyMap<string, number> => {
    this.told$.next('sample');
    return this.#world.moved?.() ?? new Map();
  };

  readonly close = (): void => {
    for (const running of this.#running.values()) running.unsubscribe();
  };

  #text(command: Command): string {
    switch (command.t) {
      case 'dispatch':
        return `${IDS[command.conn]} to ${command.address.text}`;
      case 'refuse':
        return `${IDS[command.conn]} ${command.reason}`;
      case 'abort':
      case 'close':
      case 'watch':
        return `${command.t} ${this.#addresses.get(command.dial)}`;
      default:
        return show(command);
    }
  }

  #play(stubs: Stubs, dial: number, { tell, most }: { tell: Tell; most: number }): void {
    const script = stubs[this.#addresses.get(dial) ?? ''] ?? NEVER;
    const nth = this.#played.get(script) ?? 0;
    this.#played.set(script, nth + 1);
    const stub = script instanceof Observable ? script : (script[nth] ?? script.at(-1) ?? NEVER);
    const limited = most === 1 ? stub.pipe(take(1)) : stub;
    this.#running.set(
      dial,
      limited.subscribe((letter) => tell(outcomeOf(letter, dial))),
    );
  }
}

/** An envelope by its letter, at the time that it is. */
const envelope = (m: Marbles, letter: string, waitMs: number): Envelope => {
  const at = m.env.scheduler.now();
  const dst = '/svc/web' as Path;
  const id = IDS.indexOf(letter);
  return { id, rt: 'test', rule: '', srv: '', src: '', dst, at, deadline: at + waitMs };
};

/** What a balancer in such a world tells: `connect A`, `x to A`, `x no-endpoints`, `failed A`. Ends when the balancer does. */
export const balancing = (m: Marbles, world: World): Observable<string> => {
  const { conns, names, gone = '', waitMs = Number.POSITIVE_INFINITY } = world;
  const policy = { ...POLICY, ...world.policy };
  const ports = new ScriptedPorts(world, m.hot(gone));
  const setup = {
    policy,
    policy$: world.policies?.pipe(map((changed) => ({ ...policy, ...changed }))) ?? NEVER,
    resolution$: m.hot(names, NAMED),
    ports,
    timers: makeTimers(m.env.scheduler),
    opened: world.opened ?? (() => undefined),
    status: world.status ?? (() => undefined),
  };
  const envelope$ = m.hot(conns).pipe(map((letter) => envelope(m, letter, waitMs)));
  return merge(ports.told$, balance(setup, m.env)(envelope$).pipe(endWith(''))).pipe(
    takeWhile((told) => told !== ''),
  );
};
