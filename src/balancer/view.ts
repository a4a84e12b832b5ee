/** Copies of a balancer’s state for readers. Pure. */
import type { EndpointView, NameGauges, NameView } from '../view.ts';
import { type Endpoint, load, type State } from './state.ts';

const viewEndpoint = (endpoint: Endpoint, at: number): EndpointView => {
  const { address, state, weight, dialing, open, failures, penaltyUntil } = endpoint;
  const view: EndpointView = {
    address: address.text,
    state,
    weight,
    load: load(endpoint),
    dialing,
    open,
    consecutiveFailures: failures,
  };
  return state === 'failed' ? { ...view, penaltyMs: Math.max(0, penaltyUntil - at) } : view;
};

const age = (state: State, at: number): { readonly resolutionAgeMs?: number } =>
  state.resolvedAt === undefined ? {} : { resolutionAgeMs: at - state.resolvedAt };

/** All that `/routers.json` shows of a name. O(endpoints). */
export const viewName = (state: State, dst: string, at: number): NameView => ({
  dst,
  state: state.resolution,
  stale: state.stale,
  ...age(state, at),
  waiters: state.waiters.size,
  spares: state.spares.size,
  endpoints: [...state.endpoints.values()].map((endpoint) => viewEndpoint(endpoint, at)),
});

/** The counts that metrics need. O(endpoints). */
export const gaugeName = (
  state: State,
  name: { rt: string; dst: string },
  at: number,
): NameGauges => {
  const count = { available: 0, failed: 0, retired: 0, pending: 0, open: 0 };
  for (const endpoint of state.endpoints.values()) {
    count[endpoint.state] += 1;
    count.pending += endpoint.dialing;
    count.open += endpoint.open;
  }
  return { ...name, ...count, waiters: state.waiters.size, ...age(state, at) };
};
