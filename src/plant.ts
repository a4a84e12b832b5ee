/** What the sockets of a process share, and the end of a connection that never met an endpoint. */
import type { Close, CloseReason } from './close-reason.ts';
import type { BufferBudget } from './duplex/budget.ts';
import type { RouterEvent } from './event.ts';
import type { Client, Clients } from './server/clients.ts';
import type { Descriptors } from './server/descriptors.ts';
import type { Sockets } from './socket/sockets.ts';
import type { Timers } from './timers.ts';

/** The tables, budgets and timers of a process. */
export interface Plant {
  readonly sockets: Sockets;
  readonly clients: Clients;
  readonly descriptors: Descriptors;
  readonly budget: BufferBudget;
  readonly timers: Timers;
  readonly report: (event: RouterEvent) => void;
}

/** The limit that ended a connection, and where it is configured. */
export type Rule = Pick<Close, 'limit' | 'place'>;

/** A client to turn away. */
export interface Dismissal {
  readonly conn: number;
  readonly reason: CloseReason;
  /** Dials made for it. */
  readonly attempts: number;
  readonly detail?: string;
  readonly rule: (client: Client) => Rule;
}

/** Turns a client away that was never joined with an endpoint, and tells its end; nothing if it is not here. */
export const refuseClient = (plant: Plant, dismissal: Dismissal): void => {
  const { conn, reason, attempts, detail, rule } = dismissal;
  const client = plant.clients.refuse(conn);
  if (client === undefined) return;
  const { envelope } = client;
  const by = reason === 'departed' ? 'client' : 'proxy';
  const close: Close = { reason, by, ...rule(client), ...(detail === undefined ? {} : { detail }) };
  const totalMs = plant.timers.now() - envelope.at;
  plant.report({ t: 'ended', record: { envelope, attempts, rx: 0, tx: 0, totalMs, close } });
};
