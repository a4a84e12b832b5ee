/** What has happened in a simulation: one fact for each connection, and the changes of endpoints and names. */
import type { CloseReason } from '../close-reason.ts';
import type { RouterEvent } from '../event.ts';

/** One connection. Times are in ms; those that never came are absent. */
export interface Connection {
  readonly at: number;
  readonly src: string;
  readonly sni: string | undefined;
  /** Absent: it was turned away before it had a name. */
  dst: string | undefined;
  endpoint: string | undefined;
  openedAt: number | undefined;
  endedAt: number | undefined;
  reason: CloseReason | undefined;
  detail: string | undefined;
}

/** Something that happened to an endpoint of a name. */
export interface EndpointFact {
  readonly at: number;
  readonly t: 'dialed' | 'failed' | 'restored';
  readonly dst: string;
  readonly endpoint: string;
}

const addTo = (counts: Map<string, number>, key: string, count = 1): void => {
  counts.set(key, (counts.get(key) ?? 0) + count);
};

/** Takes in what a virtual daemon reports. Bounds: the connections of the scenario. */
export class Journal {
  readonly #now: () => number;
  readonly connections: Connection[] = [];
  readonly endpoints: EndpointFact[] = [];
  /** What operators did that they should not, and how often. */
  readonly flaws = new Map<string, number>();
  /** Operators that kept connections until their time was up, or to the end, and how many. */
  readonly keepers = new Map<string, number>();
  /** When each name was looked up. */
  readonly lookups = new Map<string, number[]>();
  readonly #here = new Map<number, Connection>();
  #open = 0;
  mostOpen = { count: 0, at: 0 };
  mostWaiting = { count: 0, at: 0 };
  /** Events that were reported. */
  events = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Somebody came when nobody listened. */
  missed(src: string, sni: string | undefined): void {
    const connection = this.#add(src, sni, undefined);
    connection.endedAt = this.#now();
    connection.detail = 'nobody listens';
  }

  lookedUp(name: string): void {
    const times = this.lookups.get(name) ?? [];
    this.lookups.set(name, times);
    times.push(this.#now());
  }

  readonly report = (event: RouterEvent): void => {
    this.events += 1;
    switch (event.t) {
      case 'arrived': {
        const { id, src, sni, dst } = event.envelope;
        this.#here.set(id, this.#add(src, sni, dst));
        this.#peak();
        break;
      }
      case 'rejected': {
        const connection = this.#add(event.src, undefined, undefined);
        this.#end(connection, event.close);
        break;
      }
      case 'opened': {
        const connection = this.#here.get(event.envelope.id);
        if (connection === undefined) break;
        connection.dst = event.envelope.dst;
        connection.endpoint = event.endpoint;
        connection.openedAt = this.#now();
        this.#open += 1;
        this.#peak();
        break;
      }
      case 'ended':
        this.#ended(event.record);
        break;
      case 'dialed':
      case 'failed':
      case 'restored': {
        const { t, dst, endpoint } = event;
        this.endpoints.push({ at: this.#now(), t, dst, endpoint });
        break;
      }
      case 'broke':
        addTo(this.flaws, `${event.name} broke: ${event.error}`);
        break;
      case 'strayed':
        addTo(this.flaws, `${event.name} gave an id twice, or one that it did not have`);
        break;
      case 'kept':
        addTo(this.keepers, event.name, event.count);
        break;
      default:
        break;
    }
  };

  #add(src: string, sni: string | undefined, dst: string | undefined): Connection {
    const connection: Connection = {
      at: this.#now(),
      src,
      sni,
      dst,
      endpoint: undefined,
      openedAt: undefined,
      endedAt: undefined,
      reason: undefined,
      detail: undefined,
    };
    this.connections.push(connection);
    return connection;
  }

  #ended({ envelope, close }: Extract<RouterEvent, { t: 'ended' }>['record']): void {
    const connection = this.#here.get(envelope.id);
    if (connection === undefined) return;
    this.#here.delete(envelope.id);
    connection.dst = envelope.dst;
    if (connection.openedAt !== undefined) this.#open -= 1;
    if (close.reason === 'operator-timeout') addTo(this.keepers, close.detail ?? '');
    this.#end(connection, close);
  }

  #end(
    connection: Connection,
    { reason, detail }: { readonly reason: CloseReason; readonly detail?: string },
  ): void {
    connection.endedAt = this.#now();
    connection.reason = reason;
    connection.detail = detail;
  }

  #peak(): void {
    const waiting = this.#here.size - this.#open;
    if (this.#open > this.mostOpen.count) this.mostOpen = { count: this.#open, at: this.#now() };
    if (waiting > this.mostWaiting.count) this.mostWaiting = { count: waiting, at: this.#now() };
  }
}
