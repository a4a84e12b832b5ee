/** What an endpoint carries, by the kind of load that the policy balances by. Pure. */
import { type Endpoint, load, type State } from './state.ts';

/** What is known of an endpoint loses weight with time: in so many ms, all but a third. */
const TAU_MS = 10_000;

/** Shorter latencies say nothing, in ms. */
const LEAST_MS = 0.1;

/** Lower rates say nothing, in bytes per second. */
const LEAST_RATE = 1000;

/** One that has a connection on its way and has never answered is as good as no other. */
const UNKNOWN_MS = 60_000;

const fade = (ms: number): number => Math.exp(-Math.max(0, ms) / TAU_MS);

/** The decayed peak of an endpoint’s latency, in ms; `undefined`: it has never answered. */
export const latency = ({ latencyMs, latencyAt }: Endpoint, at: number): number | undefined =>
  latencyMs === undefined ? undefined : Math.max(LEAST_MS, latencyMs * fade(at - latencyAt));

/** The decayed rate of an endpoint’s streams, in bytes per second; what is nearly nothing is nothing. */
export const rate = ({ bytesPerSec, ratedAt }: Endpoint, at: number): number => {
  const faded = bytesPerSec * fade(at - ratedAt);
  return faded < LEAST_RATE ? 0 : faded;
};

/**
 * Notes how long a dial or a first byte took. A longer time counts at once and in full, a shorter one bit by bit: a
 * slow endpoint is avoided at once, and trusted again slowly.
 */
export const noteLatency = (endpoint: Endpoint, ms: number, at: number): void => {
  const known = latency(endpoint, at) ?? 0;
  const share = 1 - fade(at - endpoint.latencyAt);
  endpoint.latencyMs = ms >= known ? ms : known + (ms - known) * share;
  endpoint.latencyAt = at;
};

/** Notes what streams have moved since the last sample, by endpoint. */
export const noteMoved = (s: State, moved: ReadonlyMap<string, number>, at: number): void => {
  const ms = Math.max(1, at - s.sampledAt);
  const share = 1 - fade(ms);
  for (const [address, bytes] of moved) {
    const endpoint = s.endpoints.get(address);
    if (endpoint === undefined) continue;
    endpoint.bytesPerSec = rate(endpoint, at) + ((bytes * 1000) / ms) * share;
    endpoint.ratedAt = at;
  }
  s.sampledAt = at;
};

/** What an endpoint carries: the less, the sooner it gets the next connection. Between equals, connections decide. */
export const burden = (s: State, endpoint: Endpoint): number => {
  const connections = load(endpoint);
  switch (s.policy.loadBalancer.load) {
    case 'connections':
      return connections;
    case 'throughput':
      return rate(endpoint, s.at) + connections;
    case 'latency': {
      const known = latency(endpoint, s.at);
      if (known === undefined) return connections === 0 ? 0 : UNKNOWN_MS * connections;
      return known * (connections + 1);
    }
  }
};
