/** A balancer on the bench: stepped by hand, with its commands as short texts and its counts checked by a model. */
import assert from 'node:assert/strict';
import type { WeightedAddress } from '../../src/address.ts';
import type { MakeLoadBalancer } from '../../src/balancer/load-balancer.ts';
import type { Command, Event } from '../../src/balancer/messages.ts';
import { type Endpoint, load, makeState, type State } from '../../src/balancer/state.ts';
import { isIdle, nextDue, step } from '../../src/balancer/step.ts';
import type { ClientPolicy } from '../../src/config/config.ts';
import { DEFAULT_POLICY } from '../../src/config/policy.ts';
import type { DialCause } from '../../src/event.ts';
import type { Resolution } from '../../src/interpreter/interpreter.ts';

/** The policy of a name in tests: the defaults. */
export const POLICY: ClientPolicy = DEFAULT_POLICY;

/** A policy with a load balancer of somebody’s own. */
export const OWN: Pick<ClientPolicy, 'loadBalancer'> = {
  loadBalancer: {
    kind: 'custom',
    by: 'com.example.own',
    options: {},
    place: 'routers[0].client.loadBalancer',
    load: 'connections',
  },
};

/** An endpoint by its letter: `A`, or `A*0.5` with a weight. */
export const endpoint = (text: string): WeightedAddress => {
  const [name = '', weight = '1'] = text.split('*');
  return { address: { ip: '10.0.0.1', port: 80, text: name }, weight: Number(weight) };
};

/** A name bound to endpoints by their letters; none: an empty set. */
export const bound = (...endpoints: readonly string[]): Resolution => ({
  t: 'bound',
  endpoints: endpoints.map(endpoint),
});

/** A command as a test reads it: `connect A`, `dispatch 1 A`, `refuse 1 no-endpoints`, `failed A`. */
export const show = (command: Command): string => {
  switch (command.t) {
    case 'connect':
      return `connect ${command.address.text}`;
    case 'dispatch':
      return `dispatch ${command.conn} ${command.address.text}`;
    case 'refuse':
      return `refuse ${command.conn} ${command.reason}`;
    case 'tell':
      return `${command.what} ${command.address.text}`;
    default:
      return `${command.t} ${command.dial}`;
  }
};

/** What an event is without its time; the trial knows the time. */
export type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'at'> : never) : never;

interface Connection {
  readonly address: string;
  readonly endpoint: Endpoint;
  /** Whose dial it was; `undefined`: a spare’s. */
  readonly conn: number | undefined;
}

/**
 * Steps a balancer and checks each command against a model of its own: what may be dialed, who waits,
 * what is open. Dial ids and connection ids are the caller’s to pick from `dialing`, `streams`, `spares`, `waiting`.
 */
export class Trial {
  readonly state: State;
  readonly events: Event[] = [];
  readonly commands: Command[] = [];
  /** Deadlines of those without an answer. */
  readonly waiting = new Map<number, number>();
  readonly dialing = new Map<number, Connection>();
  readonly streams = new Map<number, Connection>();
  readonly spares = new Map<number, Connection>();
  /** Aborted dials: their outcome may still be on its way. */
  readonly aborted = new Set<number>();
  /** Weights of the set in force. */
  readonly weights = new Map<string, number>();
  readonly failed = new Set<string>();
  resolution: 'pending' | 'bound' | 'neg' = 'pending';
  now = 0;
  #mostWaiters: number;
  #connected: number | undefined;
  readonly #tried = new Map<number, Set<Endpoint>>();

  constructor(policy: Partial<ClientPolicy> = {}, seed = 0.5, makeBalancer?: MakeLoadBalancer) {
    const whole = { ...POLICY, ...policy };
    this.state = makeState(whole, seed, makeBalancer);
    this.#mostWaiters = whole.maxWaiters;
  }

  /** Takes one event in, checks what comes of it, and gives it as texts. */
  take(happening: Happening): readonly string[] {
    const event: Event = { ...happening, at: this.now };
    this.events.push(event);
    this.#before(event);
    const commands = step(this.state, event);
    this.commands.push(...commands);
    for (const command of commands) this.#check(command);
    assert.equal(this.#connected, undefined, 'a connected dial was neither used nor closed');
    this.#compare();
    return commands.map(show);
  }

  /** Lets time pass as the shell does, with a tick whenever the state asks for one; gives all that was told. */
  pass(ms: number): readonly string[] {
    const until = this.now + ms;
    const told: string[] = [];
    let ticks = 0;
    for (let due = nextDue(this.state); due !== undefined && due <= until; ) {
      this.now = Math.max(this.now, due);
      told.push(...this.take({ t: 'ticked' }));
      assert.ok(++ticks < 100_000, 'the balancer spins');
      due = nextDue(this.state);
    }
    this.now = until;
    return told;
  }

  arrive(conn: number, waitMs = 10_000): readonly string[] {
    return this.take({ t: 'arrived', conn, deadline: this.now + waitMs });
  }

  depart(conn: number): readonly string[] {
    return this.take({ t: 'departed', conn, detail: 'closed' });
  }

  resolve(resolution: Resolution): readonly string[] {
    return this.take({ t: 'resolved', resolution });
  }

  connected(dial: number): readonly string[] {
    return this.take({ t: 'connected', dial });
  }

  fail(dial: number, cause: DialCause = 'refused'): readonly string[] {
    return this.take({ t: 'connectFailed', dial, cause, detail: 'ECONNREFUSED' });
  }

  answer(dial: number): readonly string[] {
    return this.take({ t: 'answered', dial });
  }

  close(dial: number, spurned = false): readonly string[] {
    return this.take({ t: 'closed', dial, spurned });
  }

  lose(dial: number): readonly string[] {
    return this.take({ t: 'lost', dial });
  }

  configure(policy: Partial<ClientPolicy>): readonly string[] {
    return this.take({ t: 'configured', policy: { ...this.state.policy, ...policy } });
  }

  #before(event: Event): void {
    switch (event.t) {
      case 'arrived':
        this.waiting.set(event.conn, event.deadline);
        break;
      case 'resolved':
        this.#resolved(event.resolution);
        break;
      case 'connected':
        this.#connected = event.dial;
        break;
      case 'connectFailed': {
        const dial = this.dialing.get(event.dial);
        if (dial?.conn !== undefined) this.#triedBy(dial.conn).add(dial.endpoint);
        this.dialing.delete(event.dial);
        break;
      }
      case 'closed':
        this.streams.delete(event.dial);
        break;
      case 'lost':
        this.spares.delete(event.dial);
        break;
      case 'configured':
        this.#mostWaiters = Math.max(this.#mostWaiters, event.policy.maxWaiters);
        break;
      default:
    }
  }

  #resolved(resolution: Resolution): void {
    if (resolution.t !== 'bound' && resolution.t !== 'neg') return;
    this.resolution = resolution.t;
    this.weights.clear();
    for (const { address, weight } of resolution.t === 'bound' ? resolution.endpoints : []) {
      this.weights.set(address.text, weight);
    }
  }

  #triedBy(conn: number): Set<Endpoint> {
    const tried = this.#tried.get(conn) ?? new Set();
    this.#tried.set(conn, tried);
    return tried;
  }

  #check(command: Command): void {
    switch (command.t) {
      case 'connect':
        this.#checkConnect(command);
        break;
      case 'dispatch':
        this.#checkDispatch(command);
        break;
      case 'refuse':
        this.#checkRefuse(command);
        break;
      case 'abort':
        assert.ok(this.dialing.delete(command.dial), 'aborts what is not dialing');
        this.aborted.add(command.dial);
        break;
      case 'watch':
        this.#checkWatch(command.dial);
        break;
      case 'close':
        this.#checkClose(command.dial);
        break;
      case 'tell':
        if (command.what === 'failed') this.failed.add(command.address.text);
        else assert.ok(this.failed.delete(command.address.text), 'restores what was not failed');
    }
  }

  #checkConnect({ dial, address: { text } }: Extract<Command, { t: 'connect' }>): void {
    assert.ok((this.weights.get(text) ?? 0) > 0, `dials ${text}, which takes nothing new`);
    const made = this.state.dials.get(dial);
    assert.ok(made !== undefined && !this.dialing.has(dial), 'dials without noting it');
    const conn = made.waiter?.conn;
    if (conn !== undefined) {
      assert.ok(this.waiting.has(conn), 'dials for nobody');
      assert.ok(!this.#triedBy(conn).has(made.endpoint), `${conn} tries ${text} twice`);
    } else {
      assert.equal(made.endpoint.state, 'available', 'a spare at an endpoint that is aside');
    }
    this.dialing.set(dial, { address: text, endpoint: made.endpoint, conn });
  }

  #checkDispatch({ dial, conn, address }: Extract<Command, { t: 'dispatch' }>): void {
    const deadline = this.waiting.get(conn);
    assert.ok(deadline !== undefined, `answers ${conn} twice`);
    assert.ok(deadline > this.now, 'dispatches after the deadline');
    this.waiting.delete(conn);
    this.#tried.delete(conn);
    assert.ok(this.weights.has(address.text), 'dispatches to a retired endpoint');
    const spare = this.spares.get(dial);
    const made = spare ?? this.dialing.get(dial);
    assert.ok(made !== undefined && made.address === address.text, 'dispatches to no connection');
    if (spare === undefined) {
      assert.equal(this.#connected, dial, 'dispatches before it is connected');
      assert.equal(made.conn, conn, 'dispatches to the dial of another');
      this.#connected = undefined;
    } else {
      assert.ok(!this.failed.has(address.text), 'uses a spare of a failed endpoint');
      assert.ok((this.weights.get(address.text) ?? 0) > 0, 'uses a spare at weight 0');
    }
    this.spares.delete(dial);
    this.dialing.delete(dial);
    this.streams.set(dial, made);
  }

  #checkRefuse({ conn, reason }: Extract<Command, { t: 'refuse' }>): void {
    const deadline = this.waiting.get(conn);
    assert.ok(deadline !== undefined, `answers ${conn} twice`);
    const isLate = deadline <= this.now;
    assert.ok(isLate || reason !== 'connect-timeout', 'calls it a timeout too early');
    if (reason === 'no-such-name') assert.equal(this.resolution, 'neg');
    this.waiting.delete(conn);
    this.#tried.delete(conn);
  }

  #checkWatch(dial: number): void {
    const made = this.dialing.get(dial);
    assert.ok(made !== undefined && this.#connected === dial, 'watches no connection');
    this.#connected = undefined;
    this.dialing.delete(dial);
    this.spares.set(dial, made);
  }

  #checkClose(dial: number): void {
    if (this.#connected === dial) {
      this.#connected = undefined;
      this.aborted.delete(dial);
      this.dialing.delete(dial);
      return;
    }
    assert.ok(this.spares.delete(dial), 'closes what is no spare');
  }

  /** The state must count as the model does. */
  #compare(): void {
    const { state, dialing, streams, spares, waiting } = this;
    // A penalty is forgotten with its endpoint, once that has left and nothing is open there.
    for (const text of this.failed) if (!state.endpoints.has(text)) this.failed.delete(text);
    assert.deepEqual([...state.waiters.keys()].sort(), [...waiting.keys()].sort());
    assert.ok(state.waiters.size <= this.#mostWaiters, 'more waiters than maxWaiters');
    assert.ok(
      state.spares.size === spares.size &&
        state.dials.size === dialing.size + spares.size + streams.size,
    );
    const made = [...dialing, ...streams, ...spares].map(([, { endpoint }]) => endpoint);
    for (const one of state.endpoints.values()) this.#compareEndpoint(one, made);
    for (const one of made)
      assert.equal(state.endpoints.get(one.address.text), one, 'forgets a load');
    const forSpares = [...dialing.values()].filter(({ conn }) => conn === undefined).length;
    assert.equal(state.sparesDialing, forSpares);
    assert.equal(
      isIdle(state),
      waiting.size === 0 && streams.size === 0 && dialing.size === forSpares,
    );
    const due = nextDue(state);
    assert.ok(due === undefined || due >= this.now, 'something is overdue after a step');
    const most = state.waiters.size + state.dials.size + state.endpoints.size + 2;
    assert.ok(state.due.size <= most, 'more falls due than there is');
    assert.ok(state.byIndex.length - state.freeIndexes.length === state.endpoints.size);
  }

  #compareEndpoint(one: Endpoint, made: readonly Endpoint[]): void {
    const { text } = one.address;
    const isIn = this.weights.has(text);
    assert.equal(one.state === 'retired', !isIn, `${text} is ${one.state}`);
    assert.equal(load(one), made.filter((other) => other === one).length, `load of ${text}`);
    const dials = [...this.dialing.values()].filter(({ endpoint: other }) => other === one);
    assert.equal(one.dialing, dials.length, `dials of ${text}`);
    assert.ok(isIn || load(one) > 0, `${text} is kept for nothing`);
    const { live, aside } = this.state;
    const held = [live, aside].filter((lots) => lots.holds(one)).length;
    const isProbing = one.probe !== undefined;
    const taking = one.state !== 'retired' && !(one.state === 'failed' && isProbing);
    assert.equal(held, taking && one.weight > 0 ? 1 : 0, `places of ${text} in the lots`);
    if (isProbing) assert.ok(this.dialing.has(one.probe ?? 0) || this.streams.has(one.probe ?? 0));
  }
}
