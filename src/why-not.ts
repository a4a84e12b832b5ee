/** Why a connection does not go to an endpoint. Pure. */
import { type Address, parseAddress } from './address.ts';
import type { RouteExplained } from './explain-route.ts';
import { canonicalIp } from './ip.ts';
import type { EndpointView } from './view.ts';

const ofEndpoint = (
  { state, weight, penaltyMs = 0, load, consecutiveFailures }: EndpointView,
  all: readonly EndpointView[],
): readonly string[] => {
  if (state === 'retired')
    return ['the name has it no more: it keeps its streams, and gets no new ones'];
  if (state === 'failed')
    return [`it was put aside after failures, and is probed in ${Math.round(penaltyMs)} ms`];
  if (weight === 0) return ['its weight is 0: it keeps its streams, and gets no new ones'];
  const open = all.filter((one) => one.state === 'available' && one.weight > 0);
  const total = open.reduce((sum, one) => sum + one.weight, 0);
  const share = Math.round((weight / total) * 1000) / 10;
  const least = Math.min(...open.map((one) => one.load / one.weight));
  return [
    `it takes connections: by its weight ${share} % of them`,
    ...(load / weight > least ? [`it carries ${load}, others carry less for their weight`] : []),
    ...(consecutiveFailures > 0 ? [`its last ${consecutiveFailures} dials failed`] : []),
  ];
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Whether an address stands anywhere in the steps of a delegation. */
const hasAddress = (step: unknown, { ip, port }: Pick<Address, 'ip' | 'port'>): boolean => {
  if (!isRecord(step)) return false;
  if (step['port'] === port && canonicalIp(String(step['ip'])) === ip) return true;
  return Object.values(step).some((part) => hasAddress(part, { ip, port }));
};

/** The reasons, from the first thing on that is in the way. */
export const whyNot = (
  text: string,
  { isAllowed, dst, live, delegation }: RouteExplained,
): readonly string[] => {
  if (!isAllowed) return ['the sources of the server do not let the client in'];
  if (dst === undefined) return ['no rule of the server holds for the connection'];
  const address = parseAddress(text);
  if (address === undefined) return [`expected an address such as 10.0.0.1:80, got "${text}"`];
  if (live === undefined)
    return [
      hasAddress(delegation, address)
        ? 'the name has it; nothing runs here, so its state is not known'
        : 'the name does not have it, as far as its delegation tells',
    ];
  if (live.state !== 'bound') return [`the name is ${live.state}`];
  const endpoint = live.endpoints.find((one) => one.address === address.text);
  return endpoint === undefined
    ? ['the name does not have it']
    : ofEndpoint(endpoint, live.endpoints);
};
