/** EndpointSlices of Kubernetes as its API writes them, read tolerantly. Pure. Source: discovery.k8s.io/v1. */
import { makeAddress } from '../../../address.ts';
import { canonicalIp } from '../../../ip.ts';
import type { Addr, NamedAddress } from '../namer.ts';
import { type KubeObject, list, readObject, record, text } from './objects.ts';
import { numberOf, readPorts, type ServicePort } from './service.ts';

/** One endpoint of a slice. */
interface SliceEndpoint {
  readonly ips: readonly string[];
  readonly isReady: boolean;
  /** It still serves, and is on its way out. */
  readonly isLeaving: boolean;
  readonly nodeName: string | undefined;
}

/** A slice of the endpoints of a service. */
export interface Slice extends KubeObject {
  readonly ports: readonly ServicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

const endpointOf = (value: unknown): SliceEndpoint => {
  const { addresses, conditions, nodeName } = record(value);
  const { ready, serving, terminating } = record(conditions);
  // What is not said is: ready, and serving if it is ready.
  const isReady = ready !== false;
  return {
    ips: list(addresses)
      .map((address) => canonicalIp(text(address)))
      .filter((ip) => ip !== undefined),
    isReady,
    isLeaving: (typeof serving === 'boolean' ? serving : isReady) && terminating === true,
    nodeName: text(nodeName) || undefined,
  };
};

/** Reads a slice; `undefined`: it has no name. Names instead of addresses (FQDN) are left out. */
export const readSlice = (value: unknown): Slice | undefined => {
  const object = readObject(value);
  if (object === undefined) return undefined;
  const { ports, endpoints } = record(value);
  return { ...object, ports: readPorts(ports), endpoints: list(endpoints).map(endpointOf) };
};

interface Found {
  readonly endpoint: SliceEndpoint;
  readonly port: number;
}

/**
 * The addresses behind a port, by its name or its number. A number is that of the port of the service, or, where that has no such
 * port or is not known, of the one at the endpoints. Those that are ready; with none of them, those that serve while they
 * leave, as the proxies of Kubernetes have it. A port that neither the service nor a slice has does not exist.
 */
export const addrOf = (
  slices: readonly Slice[],
  wanted: string,
  service: readonly ServicePort[] = [],
): Addr => {
  const number = numberOf(wanted);
  const own = service.find(({ name, port }) => name === wanted || port === number);
  const isWanted = ({ name, port }: ServicePort): boolean =>
    own === undefined ? name === wanted || port === number : name === own.name;
  let isKnown = own !== undefined;
  const all: Found[] = [];
  for (const { ports, endpoints } of slices)
    for (const one of ports) {
      if (!isWanted(one)) continue;
      isKnown = true;
      for (const endpoint of endpoints) all.push({ endpoint, port: one.port });
    }
  if (!isKnown) return { t: 'neg' };
  const ready = all.filter(({ endpoint }) => endpoint.isReady);
  const used = ready.length > 0 ? ready : all.filter(({ endpoint }) => endpoint.isLeaving);
  const found = new Map<string, NamedAddress>();
  for (const { endpoint, port } of used)
    for (const ip of endpoint.ips) {
      const address = makeAddress(ip, port);
      const { nodeName } = endpoint;
      found.set(address.text, { address, weight: 1, ...(nodeName && { meta: { nodeName } }) });
    }
  return { t: 'bound', endpoints: [...found.values()] };
};
