/** EndpointSlices of Kubernetes as its API writes them, read tolerantly. Pure. Source: discovery.k8s.io/v1. */
import { makeAddress } from '../../../address.ts';
import { canonicalIp } from '../../../ip.ts';
import type { Addr, NamedAddress } from '../namer.ts';

/** One endpoint of a slice. */
interface SliceEndpoint {
  readonly ips: readonly string[];
  readonly isReady: boolean;
  /** It still serves, and is on its way out. */
  readonly isLeaving: boolean;
  readonly nodeName: string | undefined;
}

/** A slice of the endpoints of a service. */
export interface Slice {
  readonly name: string;
  readonly version: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly SliceEndpoint[];
}

type Json = Readonly<Record<string, unknown>>;

const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const isPort = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536;

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

/** The version of an object, where a watch may go on from. */
export const versionOf = (value: unknown): string =>
  text(record(record(value)['metadata'])['resourceVersion']);

/** Reads a slice; `undefined`: it has no name. Names instead of addresses (FQDN) are left out. */
export const readSlice = (value: unknown): Slice | undefined => {
  const { metadata, ports, endpoints } = record(value);
  const name = text(record(metadata)['name']);
  if (name === '') return undefined;
  return {
    name,
    version: versionOf(value),
    ports: list(ports).flatMap((one) => {
      const { name: portName, port, protocol } = record(one);
      const isTcp = protocol === undefined || protocol === 'TCP';
      return isTcp && isPort(port) ? [{ name: text(portName), port }] : [];
    }),
    endpoints: list(endpoints).map(endpointOf),
  };
};

/** The items of a list, and the version of all of it; `undefined`: it is no list. */
export const readList = (
  value: unknown,
): { readonly version: string; readonly slices: readonly Slice[] } | undefined => {
  const { items } = record(value);
  if (!Array.isArray(items)) return undefined;
  const slices = items.map(readSlice).filter((slice) => slice !== undefined);
  return { version: versionOf(value), slices };
};

interface Found {
  readonly endpoint: SliceEndpoint;
  readonly port: number;
}

/**
 * The addresses behind a port, by its name or its number at the endpoints. Those that are ready; with none of them, those
 * that serve while they leave, as the proxies of Kubernetes have it. A port that no slice has does not exist.
 */
export const addrOf = (slices: readonly Slice[], wanted: string): Addr => {
  const number = /^\d+$/.test(wanted) ? Number(wanted) : undefined;
  let isKnown = false;
  const all: Found[] = [];
  for (const { ports, endpoints } of slices)
    for (const { name, port } of ports) {
      if (name !== wanted && port !== number) continue;
      isKnown = true;
      for (const endpoint of endpoints) all.push({ endpoint, port });
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
