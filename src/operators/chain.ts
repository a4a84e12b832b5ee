/** The operators of a router, one behind the other, as its configuration lists them. */
import { isDeepStrictEqual } from 'node:util';
import { Observable, type OperatorFunction, Subject } from 'rxjs';
import type { CloseReason } from '../close-reason.ts';
import type { OperatorConfig } from '../config/config.ts';
import type { Env } from '../env.ts';
import type { Envelope } from '../envelope.ts';
import type { OperatorEvent } from '../event.ts';
import type { Timers } from '../timers.ts';
import type { Ended, Operator, OperatorEnv } from './operator.ts';
import { Stage } from './stage.ts';

/** An operator turns a connection away, or is the reason that it ends. */
export interface TurnedAway {
  readonly id: number;
  readonly reason: CloseReason;
  readonly detail: string;
}

/** What a chain needs of its router. */
export interface ChainSetup {
  readonly rt: string;
  readonly timers: Timers;
  /** The operators, first to last; replays its latest list. */
  readonly operators$: Observable<readonly OperatorConfig[]>;
  /** Makes an operator; may throw. */
  readonly make: (config: OperatorConfig, env: OperatorEnv) => Operator;
  /** Connections of the router as they end. */
  readonly ended$: Observable<Ended>;
  /** Calls back if a client goes away that waits. */
  readonly watch: (id: number, departed: (detail: string) => void) => void;
  readonly refuse: (refused: TurnedAway) => void;
  /** An operator has changed an envelope. */
  readonly revised: (envelope: Envelope) => void;
  readonly tell: (event: OperatorEvent) => void;
  /** Hears of each envelope that has come through, before it goes on. */
  readonly through?: (envelope: Envelope) => void;
}

/** One thing at a time: an end that a connection on its way has caused is told when that is on its way no more. */
class Lane {
  readonly #waiting: Ended[] = [];
  readonly #deliver: (ended: Ended) => void;
  #isBusy = false;

  constructor(deliver: (ended: Ended) => void) {
    this.#deliver = deliver;
  }

  readonly run = (task: () => void): void => {
    if (this.#isBusy) {
      task();
      return;
    }
    this.#isBusy = true;
    try {
      task();
      if (this.#waiting.length > 0) this.#catchUp();
    } finally {
      this.#isBusy = false;
    }
  };

  #catchUp(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      this.#deliver(next);
  }

  readonly ended = (ended: Ended): void => {
    if (this.#isBusy) this.#waiting.push(ended);
    else this.run(() => this.#deliver(ended));
  };
}

interface Placed {
  readonly config: OperatorConfig;
  readonly stage: Stage;
}

/** Two places in a file that say the same; where they stand does not matter. */
const isSame = (one: OperatorConfig, other: OperatorConfig): boolean =>
  one.by === other.by &&
  one.module === other.module &&
  one.isShadow === other.isShadow &&
  isDeepStrictEqual(one.options, other.options);

class Chain {
  readonly #setup: ChainSetup;
  readonly #env: OperatorEnv;
  readonly #ended$ = new Subject<Ended>();
  readonly #lane = new Lane((ended) => this.#ended$.next(ended));
  /** Gets what has passed all of them. */
  readonly #out: (envelope: Envelope) => void;
  #placed: readonly Placed[] = [];
  readonly #leaving = new Set<Stage>();
  #first: (envelope: Envelope) => void;

  constructor(setup: ChainSetup, env: Env, out: (envelope: Envelope) => void) {
    const { rt } = setup;
    const { scheduler, random, log } = env;
    this.#setup = setup;
    this.#out = out;
    this.#first = out;
    const ended$ = this.#ended$.asObservable();
    this.#env = { rt, scheduler, now: () => scheduler.now(), random, log, ended$ };
  }

  readonly ended = (ended: Ended): void => this.#lane.ended(ended);

  take(envelope: Envelope): void {
    if (this.#placed.length === 0) this.#first(envelope);
    else this.#lane.run(() => this.#first(envelope));
  }

  /** Those that stay keep what they know and hold; those that go let what they hold go on to those behind them. */
  configure(configs: readonly OperatorConfig[]): void {
    const former = [...this.#placed];
    const placed = configs.map((config): Placed => {
      const i = former.findIndex((other) => isSame(other.config, config));
      const [known] = i < 0 ? [] : former.splice(i, 1);
      return { config, stage: known?.stage ?? this.#make(config) };
    });
    const before = this.#placed;
    this.#placed = placed;
    this.#link();
    for (const { stage } of former) this.#dismiss(stage, before);
  }

  /** No more comes in; `left` is called when nothing is held. One after the other: each may still let go to the next. */
  leave(left: () => void): void {
    const [stage] = [...this.#leaving, ...this.#placed.map((placed) => placed.stage)];
    if (stage === undefined) {
      left();
      return;
    }
    this.#placed = this.#placed.filter((placed) => placed.stage !== stage);
    this.#leaving.add(stage);
    stage.leave(() => {
      this.#leaving.delete(stage);
      this.leave(left);
    });
  }

  drop(): void {
    for (const stage of this.#leaving) stage.drop();
    for (const { stage } of this.#placed) stage.drop();
  }

  #dismiss(stage: Stage, before: readonly Placed[]): void {
    const at = before.findIndex((other) => other.stage === stage);
    const behind = before
      .slice(at + 1)
      .find((other) => this.#placed.some((placed) => placed.stage === other.stage));
    stage.next =
      behind === undefined ? this.#out : (envelope: Envelope) => behind.stage.take(envelope);
    this.#leaving.add(stage);
    stage.leave(() => this.#leaving.delete(stage));
  }

  #link(): void {
    let next = this.#out;
    for (const { stage } of [...this.#placed].reverse()) {
      stage.next = next;
      next = (envelope) => stage.take(envelope);
    }
    this.#first = next;
  }

  #make(config: OperatorConfig): Stage {
    const { timers, make, watch, refuse, revised, tell } = this.#setup;
    return new Stage({
      name: `${config.by} ${config.place}`,
      make: () => make(config, this.#env),
      timers,
      watch,
      refuse: (id, reason, detail) => refuse({ id, reason, detail }),
      revised,
      inTurn: this.#lane.run,
      tell,
    });
  }
}

/**
 * Has each envelope go through the operators of a router.
 *
 *   in    -a--b--c----|      the operator refuses b and keeps c for a while
 *   out   -a-------c--|      b is refused and gone; c is as the operator made it
 *
 * Order: what an operator lets go at once goes on at once. Errors: none; one that breaks takes down what it holds, and
 * begins anew. Ends: when the source has ended and nothing is held. Bounds: the servers’ admission.
 */
export const operate =
  (setup: ChainSetup, env: Env): OperatorFunction<Envelope, Envelope> =>
  (envelope$) =>
    new Observable((out) => {
      const { through } = setup;
      const chain = new Chain(setup, env, (envelope) => {
        through?.(envelope);
        out.next(envelope);
      });
      out.add(() => chain.drop());
      out.add(setup.operators$.subscribe((operators) => chain.configure(operators)));
      out.add(setup.ended$.subscribe(chain.ended));
      out.add(
        envelope$.subscribe({
          next: (envelope) => chain.take(envelope),
          error: (error) => out.error(error),
          complete: () => chain.leave(() => out.complete()),
        }),
      );
    });
