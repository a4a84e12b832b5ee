/** What a ClientHello asks for. Pure. Source: RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301 §3.1. */
import { dnsName } from '../dns-name.ts';

/** What is of use in it. */
export interface ClientHello {
  /** A valid DNS name, lower-cased; with ECH the outer one. */
  readonly sni?: string;
  /** It asks for something that is no DNS name: an IP address for one. */
  readonly hasInvalidSni: boolean;
  /** Every protocol that it offers, its favourite first. */
  readonly alpn: readonly string[];
  /** The newest version that it offers: `TLSv1.3`. */
  readonly version: string;
  /** The name that it really asks for is encrypted. */
  readonly hasEch: boolean;
}

/** Something in it does not add up; the message says what. */
class Malformed extends Error {}

/** Bytes that are read from the front; reading beyond the end throws. */
class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isEmpty(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Malformed('lengths that do not add up');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** A number of so many bytes. */
  number(size: number): number {
    return this.take(size).reduce((sum, byte) => (sum << 8) | byte, 0);
  }

  /** What stands behind a length of so many bytes. */
  block(size: number): Cursor {
    return new Cursor(this.take(this.number(size)));
  }

  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }
}

const EXTENSION = { serverName: 0, alpn: 16, versions: 43, ech: 0xfe0d } as const;
const HOST_NAME = 0;
const RANDOM_BYTES = 32;

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0300, 'SSLv3'],
  [0x0301, 'TLSv1'],
  [0x0302, 'TLSv1.1'],
  [0x0303, 'TLSv1.2'],
  [0x0304, 'TLSv1.3'],
]);

/** Characters by their bytes: what is no ASCII stays apart from what is. */
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

const readServerName = (extension: Cursor): string | undefined => {
  const list = extension.block(2);
  let name: string | undefined;
  while (!list.isEmpty) {
    const type = list.number(1);
    const value = textOf(list.block(2).rest());
    if (type !== HOST_NAME) continue;
    if (name !== undefined) throw new Malformed('two server names');
    name = value;
  }
  return name;
};

/** Printable names only; the others are there to be passed over (RFC 8701). */
const readAlpn = (extension: Cursor): readonly string[] => {
  const list = extension.block(2);
  const names: string[] = [];
  while (!list.isEmpty) names.push(textOf(list.block(1).rest()));
  return names.filter((name) => /^[!-~]+$/.test(name));
};

/** The newest of those that are known; what else it names is there to be passed over (RFC 8701). */
const readVersion = (extension: Cursor): string | undefined => {
  const list = extension.block(1);
  const offered: number[] = [];
  while (!list.isEmpty) offered.push(list.number(2));
  const known = offered.filter((version) => VERSIONS.has(version));
  return VERSIONS.get(Math.max(...known));
};

const readExtensions = (extensions: Cursor): ReadonlyMap<number, Cursor> => {
  const found = new Map<number, Cursor>();
  while (!extensions.isEmpty) {
    const type = extensions.number(2);
    if (found.has(type)) throw new Malformed('an extension that stands twice');
    found.set(type, extensions.block(2));
  }
  return found;
};

const read = (body: Cursor): ClientHello => {
  const legacy = body.number(2);
  body.take(RANDOM_BYTES);
  // Session id, ciphers, compressions.
  for (const size of [1, 2, 1]) body.block(size);
  const extensions = readExtensions(body.isEmpty ? body : body.block(2));
  if (!body.isEmpty) throw new Malformed('bytes behind the extensions');
  const get = <T>(type: number, make: (extension: Cursor) => T): T | undefined => {
    const extension = extensions.get(type);
    return extension === undefined ? undefined : make(extension);
  };
  const asked = get(EXTENSION.serverName, readServerName);
  const sni = asked === undefined ? undefined : dnsName(asked);
  return {
    ...(sni === undefined ? {} : { sni }),
    hasInvalidSni: asked !== undefined && sni === undefined,
    alpn: get(EXTENSION.alpn, readAlpn) ?? [],
    version: get(EXTENSION.versions, readVersion) ?? VERSIONS.get(legacy) ?? 'TLSv1.2',
    hasEch: extensions.has(EXTENSION.ech),
  };
};

/** Parses a ClientHello without its head. A text: what is wrong with it. */
export const parseHello = (body: Uint8Array): ClientHello | string => {
  try {
    return read(new Cursor(body));
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
};
