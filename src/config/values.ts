/** The single values that the file format knows: numbers with bounds, addresses, names. Pure. */
import { type Either, isRight, left, right } from 'fp-ts/lib/Either.js';
import { parseAddress, type WeightedAddress } from '../address.ts';
import { dnsName } from '../dns-name.ts';
import { canonicalIp } from '../ip.ts';
import { captureNames, type Path, parsePath } from '../path.ts';
import type { Codec } from './codec.ts';
import { leaf, parsed } from './leaf.ts';

/** A whole number from `min` to `max`. */
export const int = (name: string, min: number, max = Number.MAX_SAFE_INTEGER): Codec<number> =>
  leaf(
    name,
    (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
        ? value
        : undefined,
    { type: 'integer', minimum: min, maximum: max },
  );

/** A number from `min` to `max`; not NaN. */
export const number = (name: string, min: number, max: number): Codec<number> =>
  leaf(
    name,
    (value) => (typeof value === 'number' && value >= min && value <= max ? value : undefined),
    { type: 'number', minimum: min, maximum: max },
  );

/** Years: longer makes no sense, and stays far below what a number can hold in ms. */
const LONGEST_SECS = 3_155_760_000;

/** A port to dial. */
export const port = int('a port 1-65535', 1, 65535);
/** A port to listen on; 0 leaves the choice to the system. */
export const anyPort = int('a port 0-65535', 0, 65535);
/** A limit in ms. */
export const millis = int('a whole number of ms, at least 1', 1, LONGEST_SECS * 1000);
/** A wait in ms, possibly none. */
export const millisOrNone = int('a whole number of ms, at least 0', 0, LONGEST_SECS * 1000);
/** A limit in seconds. */
export const seconds = int('a whole number of seconds, at least 1', 1, LONGEST_SECS);
/** A wait in seconds, possibly none. */
export const secondsOrNone = int('a whole number of seconds, at least 0', 0, LONGEST_SECS);
/** How many, at least one. */
export const count = int('a whole number, at least 1', 1);
/** How many, possibly none. */
export const countOrNone = int('a whole number, at least 0', 0);

/** A text that is not empty. */
export const text = leaf(
  'a text',
  (value) => (typeof value === 'string' && value !== '' ? value : undefined),
  { type: 'string', minLength: 1 },
);

/** A text, of rules such as a dtab’s; it may be empty. */
export const rules = leaf('a text', (value) => (typeof value === 'string' ? value : undefined), {
  type: 'string',
});

/** A protocol of ALPN: one to 255 printable characters of ASCII. */
export const protocol = leaf('a protocol name such as h2', (value) =>
  typeof value === 'string' && /^[!-~]{1,255}$/.test(value) ? value : undefined,
);

/** Yes or no. */
export const flag = leaf(
  'true or false',
  (value) => (typeof value === 'boolean' ? value : undefined),
  { type: 'boolean' },
);

/** One of a few words. */
export const word = <T extends string>(...words: readonly T[]): Codec<T> =>
  leaf(`one of ${words.join(', ')}`, (value) => words.find((known) => known === value), {
    enum: words,
  });

/** Most processes that may serve. */
const MOST_WORKERS = 256;

/** How many processes serve. */
export const workers: Codec<number | 'auto'> = leaf(
  `auto, or a whole number from 0 to ${MOST_WORKERS}`,
  (value) => {
    if (value === 'auto') return value;
    const isCount = typeof value === 'number' && Number.isInteger(value);
    return isCount && value >= 0 && value <= MOST_WORKERS ? value : undefined;
  },
);

/** A name. */
export const path: Codec<Path> = parsed('a path such as /svc/web', parsePath);

/** An IP address in its canonical text. */
export const ip: Codec<string> = parsed('an IP address such as 127.0.0.1 or ::1', (value) => {
  const known = canonicalIp(value);
  return known === undefined ? left('an IP address such as 127.0.0.1 or ::1') : right(known);
});

const NETWORK = 'an IP address or network such as 10.1.2.3, 10.0.0.0/8 or fd00::/8';

const parseNetwork = (value: string): Either<string, string> => {
  const [ip = '', length, ...more] = value.split('/');
  const known = canonicalIp(ip);
  const longest = known?.includes(':') === true ? 128 : 32;
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= longest);
  if (known === undefined || !isLength || more.length > 0) return left(NETWORK);
  return right(length === undefined ? known : `${known}/${Number(length)}`);
};

/** An address, or a network as CIDR. */
export const network: Codec<string> = parsed(NETWORK, parseNetwork);

const SEGMENT = /^(?:\*|(?:[0-9A-Za-z_:.#$%-]|\\x[0-9a-fA-F]{2}|\{[A-Za-z_][A-Za-z0-9_]*\})+)$/;

/** A segment is one expression, in which a name stands for one capture. */
const isSegment = (segment: string): boolean => {
  const names = captureNames(segment);
  return SEGMENT.test(segment) && new Set(names).size === names.length;
};

/** A pattern of `compilePrefix`. */
export const prefix: Codec<string> = leaf(
  'a path prefix such as /svc, /svc/* or /svc/{name}',
  (value) => {
    if (typeof value !== 'string' || !value.startsWith('/')) return undefined;
    if (value === '/') return value;
    return value.slice(1).split('/').every(isSegment) ? value : undefined;
  },
);

const ENDPOINT =
  'an IP address and port, with a weight if wanted, such as 127.0.0.1:80 or "127.0.0.1:80 * 0.5"';

const parseEndpoint = (value: string): Either<string, WeightedAddress> => {
  const [address = '', weightText = '1', ...more] = value.split(/\s+\*\s+/);
  const known = parseAddress(address.trim());
  const weight = Number(weightText);
  const isWeight = weightText.trim() !== '' && Number.isFinite(weight) && weight >= 0;
  if (known === undefined || !isWeight || more.length > 0) return left(ENDPOINT);
  return right({ address: known, weight });
};

/** An address with a weight. */
export const endpoint: Codec<WeightedAddress> = parsed(ENDPOINT, parseEndpoint);

const URL_TEXT =
  'an http or https URL without user, query and fragment, such as http://127.0.0.1:4180';

const parseBaseUrl = (value: string): Either<string, string> => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isWeb || url.username !== '' || url.search !== '' || url.hash !== '')
    return left(URL_TEXT);
  return right(url.href.replace(/\/+$/, ''));
};

/** The base of an HTTP API; a slash at its end is dropped. */
export const baseUrl: Codec<string> = parsed(URL_TEXT, parseBaseUrl);

const PREFIX_TEXT = 'a path such as /io.l5d.fs, not /';

/** Where the names of a namer stand behind `/#`. */
export const namerPrefix: Codec<Path> = parsed(PREFIX_TEXT, (value) => {
  const known = parsePath(value);
  return isRight(known) && known.right !== '/' ? known : left(PREFIX_TEXT);
});
/** What that means, for the table of keys. */
export const PREFIX_DOC = 'Its names are those that begin with `/#` and this.';

/** A name of DNS, in lower case. */
export const hostName: Codec<string> = leaf('a host name such as db.example.com', (value) =>
  typeof value === 'string' ? dnsName(value) : undefined,
);

/** A DNS server. */
export const dnsServer: Codec<string> = leaf(
  'an IP address, with a port if it is not 53, such as 10.0.0.2:5353',
  (value) =>
    typeof value === 'string' &&
    (canonicalIp(value) !== undefined || parseAddress(value) !== undefined)
      ? value
      : undefined,
);

/** A host to ask: a name, or an address; IPv6 without brackets. */
export const apiHost: Codec<string> = leaf('a host name or IP address', (value) =>
  typeof value === 'string' ? (canonicalIp(value) ?? dnsName(value)) : undefined,
);

/** The key of a label of Kubernetes, with its prefix. */
export const labelKey: Codec<string> = leaf('the key of a label such as app', (value) =>
  typeof value === 'string' &&
  /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(value)
    ? value
    : undefined,
);
