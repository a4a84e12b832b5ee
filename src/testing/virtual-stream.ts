/** A client joined with an endpoint, for as long as both like. */
import type { Tell } from '../balancer/balance.ts';
import type { Command } from '../balancer/messages.ts';
import type { Close } from '../close-reason.ts';
import type { Timer } from '../timers.ts';
import type { Open } from './network.ts';
import type { Plane, Visit } from './plane.ts';

/** An end before the first byte counts against the endpoint only within so many ms. */
const SPURN_MS = 1000;

/** Who is joined, and who is told. */
export interface StreamSetup {
  readonly plane: Plane;
  readonly visit: Visit;
  readonly command: Extract<Command, { readonly t: 'dispatch' }>;
  readonly tell: Tell;
}

/** Ends when the client has stayed as long as it wanted, when its server allows no more, or as its endpoint does. */
export class VirtualStream implements Open {
  readonly address: string;
  readonly #setup: StreamSetup;
  readonly #openedAt: number;
  #hasAnswered = false;
  #answer: Timer | undefined;
  #end: Timer | undefined;

  constructor(setup: StreamSetup) {
    this.#setup = setup;
    this.address = setup.command.address.text;
    this.#openedAt = setup.plane.timers.now();
  }

  begin(): void {
    const { plane, visit } = this.#setup;
    const { envelope, lastsMs, lifetimeMs } = visit;
    const { timers, network, report } = plane;
    report({
      t: 'opened',
      envelope,
      endpoint: this.address,
      connectMs: this.#openedAt - envelope.at,
    });
    const { health, firstByteMs } = network.of(this.address);
    network.enter(this);
    if (health === 'resets') {
      this.#end = timers.after(firstByteMs, () => this.cut());
      return;
    }
    const leftMs = Math.min(lastsMs, lifetimeMs);
    if (firstByteMs < leftMs) this.#answer = timers.after(firstByteMs, () => this.#answered());
    this.#end = timers.after(leftMs, () =>
      this.#over(
        lifetimeMs < lastsMs
          ? { reason: 'lifetime', by: 'proxy' }
          : { reason: 'end', by: 'client' },
      ),
    );
  }

  cut(): void {
    this.#over({ reason: 'reset', by: 'endpoint', detail: 'ECONNRESET' });
  }

  #answered(): void {
    const { command, tell } = this.#setup;
    this.#hasAnswered = true;
    tell({ t: 'answered', dial: command.dial });
  }

  #over(close: Close): void {
    const { plane, visit, command, tell } = this.#setup;
    const { envelope } = visit;
    const { dial, conn, attempts } = command;
    const now = plane.timers.now();
    this.#answer?.drop();
    this.#end?.drop();
    plane.network.leave(this);
    plane.leave(conn);
    const record = {
      envelope,
      endpoint: this.address,
      attempts,
      rx: 0,
      tx: 0,
      connectMs: this.#openedAt - envelope.at,
      totalMs: now - envelope.at,
      close,
    };
    plane.report({ t: 'ended', record });
    const isEarly = now - this.#openedAt < SPURN_MS;
    tell({
      t: 'closed',
      dial,
      spurned: close.by === 'endpoint' && !this.#hasAnswered && isEarly,
    });
  }
}
