/** Copies of a balancer’s state for readers. Pure. */
import type { BranchView, EndpointView, NameGauges, NameView } from '../view.ts';
import { latency, rate } from './burden.ts';
import { type Endpoint, load, type State } from './state.ts';

/** What is balanced by, beside connections. */
const viewBurden = (
  state: State,
  endpoint: Endpoint,
  at: number,
): Pick<EndpointView, 'latencyMs' | 'bytesPerSec'> => {
  const { load: kind } = state.policy.loadBalancer;
  if (kind === 'throughput') return { bytesPerSec: Math.round(rate(endpoint, at)) };
  const known = kind === 'latency' ? latency(endpoint, at) : undefined;
  return known === undefined ? {} : { latencyMs: Math.round(known * 100) / 100 };
};

const viewEndpoint = (of: State, endpoint: Endpoint, at: number): EndpointView => {
  const { address, state, weight, dialing, open, failures, penaltyUntil } = endpoint;
  const view: EndpointView = {
    address: address.text,
    state,
    weight,
    load: load(endpoint),
    dialing,
    open,
    consecutiveFailures: failures,
    ...viewBurden(of, endpoint, at),
  };
  return state === 'failed' ? { ...view, penaltyMs: Math.max(0, penaltyUntil - at) } : view;
};

const age = (state: State, at: number): { readonly resolutionAgeMs?: number } =>
  state.resolvedAt === undefined ? {} : { resolutionAgeMs: at - state.resolvedAt };

const viewBranches = ({ live }: State): readonly BranchView[] =>
  live.shares().map(({ id, share, isOpen }) => ({
    id,
    share: Math.round(share * 1e6) / 1e6,
    state: isOpen ? 'available' : 'failed',
  }));

const countBranches = ({ live }: State): Pick<NameGauges, 'branches'> => {
  if (!live.isUnion) return {};
  const all = live.shares();
  const available = all.filter(({ isOpen }) => isOpen).length;
  return { branches: { available, failed: all.length - available } };
};

/** All that `/routers.json` shows of a name. O(endpoints). */
export const viewName = (state: State, dst: string, at: number): NameView => ({
  dst,
  state: state.resolution,
  stale: state.stale,
  ...age(state, at),
  waiters: state.waiters.size,
  spares: state.spares.size,
  endpoints: [...state.endpoints.values()].map((endpoint) => viewEndpoint(state, endpoint, at)),
  ...(state.live.isUnion ? { branches: viewBranches(state) } : {}),
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
  return {
    ...name,
    ...count,
    waiters: state.waiters.size,
    ...countBranches(state),
    ...age(state, at),
  };
};
