/**
 * The marble kit, `linkerd-tcp/testing`: routers of production configurations in virtual time, with names and endpoints that
 * diagrams set, for any test runner.
 */

export { type Marbles, marbles } from './marbles.ts';
export type { Behaviour, Health } from './network.ts';
export type { Comer, EndpointSetup, Routing, RoutingSetup, Said } from './routing.ts';
export type { MarbleOptions } from './virtual-env.ts';
export type { Arrival } from './virtual-servers.ts';
export { VirtualTime } from './virtual-time.ts';
