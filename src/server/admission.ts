/** Who is let in: the limits that a connection must pass before anything is done with it. */
import type { Close, CloseReason } from '../close-reason.ts';
import type { ServerConfig } from '../config/config.ts';
import type { BufferBudget } from '../duplex/budget.ts';
import type { Env } from '../env.ts';
import type { Descriptors } from './descriptors.ts';

/** An episode is over with the first connection that is let in after so long without a rejection. */
const EPISODE_MS = 1000;

/** Logs an episode of rejections: its begin, and its end with their number. */
class Episode {
  readonly #tell: (message: string, reason: CloseReason, count?: number) => void;
  readonly #now: () => number;
  #reason: CloseReason | undefined;
  #count = 0;
  #lastAt = 0;

  constructor(
    now: () => number,
    tell: (message: string, reason: CloseReason, count?: number) => void,
  ) {
    this.#now = now;
    this.#tell = tell;
  }

  rejected(reason: CloseReason): void {
    if (this.#reason === undefined) this.#tell('rejecting connections', reason);
    this.#reason ??= reason;
    this.#count += 1;
    this.#lastAt = this.#now();
  }

  admitted(): void {
    if (this.#reason === undefined || this.#now() - this.#lastAt < EPISODE_MS) return;
    this.#tell('accepting connections again', this.#reason, this.#count);
    this.#reason = undefined;
    this.#count = 0;
  }
}

/** What decides on who may come in. */
export interface AdmissionSetup {
  readonly rt: string;
  readonly srv: string;
  readonly config: () => ServerConfig;
  readonly descriptors: Descriptors;
  readonly budget: BufferBudget;
}

/** The admission of one server. Counts the connections that it let in until each is closed. */
export class Admission {
  readonly #setup: AdmissionSetup;
  readonly #episode: Episode;
  #active = 0;

  constructor(setup: AdmissionSetup, { scheduler, log }: Env) {
    const { rt, srv } = setup;
    this.#setup = setup;
    this.#episode = new Episode(
      () => scheduler.now(),
      (message, reason, count) => log('warn', message, { rt, srv, reason, count }),
    );
  }

  /** Why a connection may not come in; `undefined`: it may, and counts until `leave`. */
  enter(): Close | undefined {
    const close = this.#refusal();
    if (close !== undefined) {
      this.#episode.rejected(close.reason);
      return close;
    }
    this.#episode.admitted();
    this.#active += 1;
    this.#setup.descriptors.takeForClient();
    return undefined;
  }

  readonly leave = (): void => {
    this.#active -= 1;
    this.#setup.descriptors.giveForClient();
  };

  #refusal(): Close | undefined {
    const { config, descriptors, budget } = this.#setup;
    const { maxConcurrency, place } = config();
    if (this.#active >= maxConcurrency)
      return { reason: 'max-concurrency', by: 'proxy', limit: `${maxConcurrency}`, place };
    if (!descriptors.hasForClient())
      return { reason: 'fd-limit', by: 'proxy', limit: `${descriptors.limit}` };
    if (budget.isFull) return { reason: 'max-buffered-bytes', by: 'proxy', limit: `${budget.max}` };
    return undefined;
  }
}
