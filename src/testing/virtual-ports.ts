/** The deeds of one name’s balancer in a network that does as it is told. */
import type { Ports, Tell } from '../balancer/balance.ts';
import type { Command } from '../balancer/messages.ts';
import type { DialCause } from '../event.ts';
import type { NameSetup } from '../streams.ts';
import type { Timer } from '../timers.ts';
import type { Health, Open } from './network.ts';
import type { Plane } from './plane.ts';
import { VirtualStream } from './virtual-stream.ts';

type Of<T extends Command['t']> = Extract<Command, { readonly t: T }>;

const FAILURES: Readonly<Record<Health, readonly [DialCause, string]>> = {
  up: ['other', ''],
  resets: ['other', ''],
  refuses: ['refused', 'ECONNREFUSED'],
  dead: ['refused', 'ECONNREFUSED'],
  hangs: ['timeout', 'ETIMEDOUT'],
};

/** Makes them; their timers are the plane’s. */
export class VirtualPorts implements Ports {
  readonly #plane: Plane;
  readonly #name: NameSetup;
  readonly #dialing = new Map<number, Timer>();
  readonly #spares = new Map<number, Open>();

  constructor(plane: Plane, name: NameSetup) {
    this.#plane = plane;
    this.#name = name;
  }

  readonly watchClient = (conn: number, departed: (detail: string) => void): void =>
    this.#plane.watch(conn, departed);

  readonly sample = (): ReadonlyMap<string, number> => new Map();

  readonly perform = (command: Command, tell: Tell): void => {
    switch (command.t) {
      case 'connect':
        this.#connect(command, tell);
        break;
      case 'dispatch':
        this.#dispatch(command, tell);
        break;
      case 'watch':
        break;
      case 'abort':
        this.#dialing.get(command.dial)?.drop();
        this.#dialing.delete(command.dial);
        break;
      case 'close':
        this.#forget(command.dial);
        break;
      case 'refuse':
        this.#plane.refuse(command);
        break;
      case 'tell': {
        const { rt, dst } = this.#name;
        const { what, address, penaltyMs } = command;
        const event = { t: what, rt, dst, endpoint: address.text } as const;
        this.#plane.report(penaltyMs === undefined ? event : { ...event, penaltyMs });
        break;
      }
    }
  };

  readonly close = (): void => {
    for (const timer of this.#dialing.values()) timer.drop();
    this.#dialing.clear();
    for (const dial of [...this.#spares.keys()]) this.#forget(dial);
  };

  #connect({ dial, address }: Of<'connect'>, tell: Tell): void {
    const { timers, network, report } = this.#plane;
    const { rt, dst, policy } = this.#name;
    const { health, connectMs } = network.of(address.text);
    const common = { rt, dst, endpoint: address.text };
    report({ t: 'dialed', ...common });
    const limitMs = policy().connectTimeoutMs;
    const ms = health === 'hangs' ? limitMs : Math.min(connectMs, limitMs);
    const done = (): void => {
      this.#dialing.delete(dial);
      if ((health === 'up' || health === 'resets') && connectMs <= limitMs) {
        this.#enter(dial, address.text, tell);
        report({ t: 'connected', ...common, us: connectMs * 1000 });
        tell({ t: 'connected', dial });
        return;
      }
      const [cause, detail] = FAILURES[connectMs > limitMs ? 'hangs' : health];
      report({ t: 'dialFailed', ...common, cause, detail });
      tell({ t: 'connectFailed', dial, cause, detail });
    };
    this.#dialing.set(dial, timers.after(ms, done));
  }

  /** Until it is dispatched, a connection is a spare as far as the network knows. */
  #enter(dial: number, address: string, tell: Tell): void {
    const open: Open = {
      address,
      cut: () => {
        this.#forget(dial);
        tell({ t: 'lost', dial });
      },
    };
    this.#spares.set(dial, open);
    this.#plane.network.enter(open);
  }

  #forget(dial: number): void {
    const open = this.#spares.get(dial);
    if (open === undefined) return;
    this.#spares.delete(dial);
    this.#plane.network.leave(open);
  }

  #dispatch(command: Of<'dispatch'>, tell: Tell): void {
    const { dial, conn, attempts } = command;
    this.#forget(dial);
    const visit = this.#plane.take(conn);
    if (visit === undefined) {
      this.#plane.refuse({ conn, attempts, reason: 'departed' });
      tell({ t: 'closed', dial, spurned: false });
      return;
    }
    new VirtualStream({ plane: this.#plane, visit, command, tell }).begin();
  }
}
