/** The ClientHello message: what a TLS client asks for before anything is secret (RFC 8446 section 4.1.2). Pure. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { dnsName } from '../dns-name.ts';
import { Fields, itemsOf } from './fields.ts';

/** In the order of their codes, from 0x0300. */
const VERSIONS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const FIRST_VERSION = 0x0300;
const TLS_1_2 = 0x0303;

/** A version of TLS by the name that Node gives it. */
export type TlsVersion = (typeof VERSIONS)[number];

/** What a client asks for. Nothing in it is proven. */
export interface ClientHello {
  /** The server's name, canonical as `dnsName` says; the outer one, which all can read, beside ECH. */
  readonly sni?: string;
  /** A server name was sent, and it is no DNS name, such as an IP address (RFC 6066 section 3). */
  readonly invalidSni?: true;
  /** Protocols in the client's order; those that are not printable ASCII, and GREASE, are left out. */
  readonly alpn: readonly string[];
  /** The highest known one of `supported_versions`; without any, `legacy_version`, at most TLS 1.2. */
  readonly version: TlsVersion;
  /** ECH was sent, in earnest or as GREASE: nobody but the server can tell. */
  readonly hasEch: boolean;
}

/** The fewest bytes of a ClientHello without its head: no session id, one cipher suite, no extensions. */
export const LEAST_BYTES = 41;

const RANDOM_BYTES = 32;
const SESSION_ID_BYTES = 32;

const SERVER_NAME = 0;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;

const HOST_NAME = 0;

const PRINTABLE = /^[ -~]+$/;

/** The printable ones of RFC 8701 section 2: two equal bytes, each 0x?A. */
const GREASE = /^([*:JZjz])\1$/;

/** Its text as UTF-8. What is none becomes U+FFFD and a BOM stays, so that no byte goes unseen. */
const textOf = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

type Extensions = ReadonlyMap<number, Uint8Array>;

/**
 * The extensions by type, from the rest of a ClientHello. It may be empty (RFC 5246 section 7.4.1.2). No type may be
 * there twice (RFC 8446 section 4.2), or two readers could see two names.
 */
const readExtensions = (rest: Uint8Array): Either<string, Extensions> => {
  const pairs =
    rest.length === 0
      ? []
      : itemsOf(rest, 2, (fields) => [fields.number(2), fields.vector(2)] as const);
  if (pairs === undefined) return left('the lengths of the extensions do not add up');
  const extensions = new Map(pairs);
  return extensions.size === pairs.length ? right(extensions) : left('an extension is there twice');
};

/** RFC 6066 section 3; names of other types have the same form. */
const readServerName = (
  data: Uint8Array | undefined,
): Either<string, Pick<ClientHello, 'sni' | 'invalidSni'>> => {
  if (data === undefined) return right({});
  const names = itemsOf(data, 2, (fields) => ({ type: fields.number(1), name: fields.vector(2) }));
  if (names === undefined || names.length === 0) return left('server_name is malformed');
  const [host, second] = names.filter(({ type }) => type === HOST_NAME);
  if (second !== undefined) return left('server_name has two host names');
  if (host === undefined) return right({});
  const sni = dnsName(textOf(host.name));
  return right(sni === undefined ? { invalidSni: true } : { sni });
};

/** RFC 7301 section 3.1. */
const readAlpn = (data: Uint8Array | undefined): Either<string, readonly string[]> => {
  if (data === undefined) return right([]);
  const names = itemsOf(data, 2, (fields) => fields.vector(1));
  if (names === undefined || names.length === 0 || names.some(({ length }) => length === 0))
    return left('application_layer_protocol_negotiation is malformed');
  return right(names.map(textOf).filter((name) => PRINTABLE.test(name) && !GREASE.test(name)));
};

const versionOf = (code: number): TlsVersion | undefined => VERSIONS[code - FIRST_VERSION];

/** RFC 8446 section 4.2.1: what is unknown, such as GREASE, counts as not sent. */
const readVersion = (legacy: number, data: Uint8Array | undefined): Either<string, TlsVersion> => {
  const offered = data === undefined ? [] : itemsOf(data, 1, (fields) => fields.number(2));
  if (offered === undefined || (data !== undefined && offered.length === 0))
    return left('supported_versions is malformed');
  const known = offered.filter((code) => versionOf(code) !== undefined);
  // A `legacy_version` above TLS 1.2 offers TLS 1.2, and no more.
  const version = versionOf(known.length > 0 ? Math.max(...known) : Math.min(legacy, TLS_1_2));
  return version === undefined ? left('it offers no version of TLS') : right(version);
};

/**
 * Reads a ClientHello without its head of four bytes; what is wrong with it is told as a clause. Of extensions, only
 * those that end up in the result are looked into. Costs O(bytes).
 */
export const parseHello = (bytes: Uint8Array): Either<string, ClientHello> => {
  const fields = new Fields(bytes);
  const legacy = fields.number(2);
  fields.take(RANDOM_BYTES);
  const sessionId = fields.vector(1);
  const suites = fields.vector(2);
  const compressions = fields.vector(1);
  const rest = fields.take(fields.left);
  if (!fields.isWhole) return left('the lengths of its fields do not add up');
  if (sessionId.length > SESSION_ID_BYTES) return left('the session id is longer than 32 bytes');
  if (suites.length === 0 || suites.length % 2 > 0) return left('the cipher suites are malformed');
  if (compressions.length === 0) return left('no compression method is there');
  const extensions = readExtensions(rest);
  if (isLeft(extensions)) return extensions;
  const serverName = readServerName(extensions.right.get(SERVER_NAME));
  if (isLeft(serverName)) return serverName;
  const alpn = readAlpn(extensions.right.get(ALPN));
  if (isLeft(alpn)) return alpn;
  const version = readVersion(legacy, extensions.right.get(SUPPORTED_VERSIONS));
  if (isLeft(version)) return version;
  return right({
    ...serverName.right,
    alpn: alpn.right,
    version: version.right,
    hasEch: extensions.right.has(ENCRYPTED_CLIENT_HELLO),
  });
};
