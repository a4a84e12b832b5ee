/** The part of the configuration that says how endpoints are chosen. Pure. */
import type { Custom } from './kinds.ts';

/** How one of several endpoints is chosen, and what is balanced. */
export type LoadBalancerConfig = PowerOfTwo | CustomBalancer;

/** The same, where `load` may be left to others. */
export type LoadBalancerSettings = (Omit<PowerOfTwo, 'load'> | Omit<CustomBalancer, 'load'>) &
  Partial<Pick<PowerOfTwo, 'load'>>;

/** Power of two choices. */
export interface PowerOfTwo {
  readonly kind: 'p2c';
  readonly load: 'connections' | 'throughput' | 'latency';
}

/** That of a plugin. */
export interface CustomBalancer extends Custom, Pick<PowerOfTwo, 'load'> {
  /** Where it stands in the file: `routers[0].client.loadBalancer`. */
  readonly place: string;
}
