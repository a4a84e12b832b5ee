/** The addresses of namerd's JSON as endpoints. Pure. */
import { makeAddress, type WeightedAddress } from '../address.ts';
import { canonicalIp } from '../ip.ts';
import { excerptOf } from './excerpt.ts';

/** Looked at by hand: a codec costs as much as the rest, and an answer may have ten thousand of these. */
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const DEFAULT_WEIGHT = 1;
const MAX_EXAMPLES = 3;

/** The usable part of a list of addresses, and what was wrong with the rest. */
export interface Readable {
  /** Each address once, in the order of the list. */
  readonly endpoints: readonly WeightedAddress[];
  /** A few words on each flaw, of the first few; empty: none. */
  readonly flaws: readonly string[];
}

type Weight = { readonly weight: number; readonly flaw?: string };

const readWeight = (item: unknown): Weight => {
  const meta = isRecord(item) ? item['meta'] : undefined;
  const given = isRecord(meta) ? meta['endpoint_addr_weight'] : undefined;
  if (given === undefined) return { weight: DEFAULT_WEIGHT };
  if (typeof given === 'number' && Number.isFinite(given) && given >= 0) return { weight: given };
  return {
    weight: DEFAULT_WEIGHT,
    flaw: `weight: expected a number of at least 0, got ${excerptOf(given)}, taken as 1`,
  };
};

const readAddress = (item: unknown): WeightedAddress['address'] | undefined => {
  if (!isRecord(item)) return undefined;
  const { ip: text, port } = item;
  if (typeof text !== 'string' || typeof port !== 'number') return undefined;
  const ip = canonicalIp(text);
  if (ip === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return makeAddress(ip, port);
};

type ByText = ReadonlyMap<string, WeightedAddress>;

/** How lists that were read are looked up; made with them. */
const indexes = new WeakMap<readonly WeightedAddress[], ByText>();

/** The endpoints of a list by the text of their address; each is there once. */
export const byText = (endpoints: readonly WeightedAddress[]): ByText => {
  const index =
    indexes.get(endpoints) ?? new Map(endpoints.map((one) => [one.address.text, one] as const));
  indexes.set(endpoints, index);
  return index;
};

class Reading {
  readonly #byText = new Map<string, WeightedAddress>();
  readonly #flaws: string[] = [];
  #flawCount = 0;

  add(item: unknown): void {
    const address = readAddress(item);
    if (address === undefined) {
      this.#note(`address: expected an ip and a port, got ${excerptOf(item)}, left out`);
      return;
    }
    const { weight, flaw } = readWeight(item);
    if (flaw !== undefined) this.#note(`${address.text} ${flaw}`);
    const former = this.#byText.get(address.text)?.weight ?? 0;
    this.#byText.set(address.text, { address, weight: Math.max(former, weight) });
  }

  result(): Readable {
    const more = this.#flawCount - this.#flaws.length;
    const endpoints = [...this.#byText.values()];
    indexes.set(endpoints, this.#byText);
    return {
      endpoints,
      flaws: more > 0 ? [...this.#flaws, `and ${more} more`] : this.#flaws,
    };
  }

  #note(flaw: string): void {
    this.#flawCount += 1;
    if (this.#flaws.length < MAX_EXAMPLES) this.#flaws.push(flaw);
  }
}

/**
 * Reads the `addrs` of a bound name, tolerantly: what cannot be dialed is left out, a weight that is no finite
 * number of at least 0 counts as 1. An address that is listed twice is one endpoint with the larger weight,
 * as Consul's namer merges the weights of several tags.
 */
export const readAddresses = (items: readonly unknown[]): Readable => {
  const reading = new Reading();
  for (const item of items) reading.add(item);
  return reading.result();
};
