/** PROXY headers as they come in, version 1 (text) and 2 (binary). Pure. Source: PROXY protocol §2. */
import { canonicalIp } from '../ip.ts';
import { type Place, type ProxyHeader, SIGNATURE } from './header.ts';
import { readTlvs } from './tlvs.ts';

/** Longest header that is taken, in bytes; version 1 has 107 at most. */
export const LONGEST_HEADER = 4096;

/** What the bytes so far come to. */
export type Decoded =
  /** They may still become a header. */
  | { readonly t: 'more' }
  /** They are none, and none was required. */
  | { readonly t: 'none' }
  /** The first `length` bytes; what follows is the client’s. */
  | { readonly t: 'header'; readonly length: number; readonly header: ProxyHeader }
  /** It is broken; or none, and one was required. It must not be passed on. */
  | { readonly t: 'bad'; readonly detail: string };

const MORE: Decoded = { t: 'more' };
const bad = (detail: string): Decoded => ({ t: 'bad', detail });

const WORD = Uint8Array.from('PROXY ', (character) => character.charCodeAt(0));
const LONGEST_LINE = 107;
const HEAD = SIGNATURE.length + 4;

/** Whether the bytes begin as `wanted` does, as far as both go. */
const begins = (bytes: Uint8Array, wanted: Uint8Array): boolean => {
  const length = Math.min(bytes.length, wanted.length);
  for (let i = 0; i < length; i++) if (bytes[i] !== wanted[i]) return false;
  return true;
};

const PORT = /^(?:0|[1-9]\d{0,4})$/;

const readPlace = (ip: string, port: string, isV6: boolean): Place | undefined => {
  const known = canonicalIp(ip);
  if (known === undefined || ip.includes(':') !== isV6) return undefined;
  return PORT.test(port) && Number(port) <= 65_535 ? { ip: known, port: Number(port) } : undefined;
};

const decodeLine = (bytes: Uint8Array): Decoded => {
  const end = bytes.indexOf(10);
  if ((end < 0 ? bytes.length : end) >= LONGEST_LINE) return bad('a line of over 107 bytes');
  if (end < 0) return MORE;
  if (bytes[end - 1] !== 13) return bad('a line that does not end in CRLF');
  const line = String.fromCharCode(...bytes.subarray(0, end - 1));
  const length = end + 1;
  const [, family, ...fields] = line.split(' ');
  if (family === 'UNKNOWN') return { t: 'header', length, header: { version: 1 } };
  const [from = '', to = '', fromPort = '', toPort = ''] = fields;
  const isV6 = family === 'TCP6';
  const source = readPlace(from, fromPort, isV6);
  const destination = readPlace(to, toPort, isV6);
  const isKnown = isV6 || family === 'TCP4';
  if (!isKnown || fields.length !== 4 || source === undefined || destination === undefined)
    return bad('a line that is not PROXY TCP4|TCP6 source destination port port');
  return { t: 'header', length, header: { version: 1, source, destination } };
};

const ipOf = (bytes: Uint8Array): string | undefined => {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let i = 0; i < bytes.length; i += 2)
    groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  return canonicalIp(groups.join(':'));
};

/** Addresses of version 2: both IPs, then both ports. */
const readPlaces = (body: Uint8Array, size: number): readonly [Place, Place] | undefined => {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const source = ipOf(body.subarray(0, size));
  const destination = ipOf(body.subarray(size, 2 * size));
  if (source === undefined || destination === undefined) return undefined;
  return [
    { ip: source, port: view.getUint16(2 * size) },
    { ip: destination, port: view.getUint16(2 * size + 2) },
  ];
};

/** Length of the addresses by family and transport: those of TCP, then those that say nothing of an address to us. */
const TCP = new Map([
  [0x11, 4],
  [0x21, 16],
]);
const SILENT = new Map([
  [0x00, 0],
  [0x31, 216],
]);

const decodeBinary = (bytes: Uint8Array): Decoded => {
  const [command = 0, family = 0] = bytes.subarray(SIGNATURE.length);
  if (bytes.length > SIGNATURE.length && command !== 0x20 && command !== 0x21)
    return bad('a version other than 2, or a command other than LOCAL and PROXY');
  if (bytes.length < HEAD) return MORE;
  const length = HEAD + ((bytes[HEAD - 2] ?? 0) << 8) + (bytes[HEAD - 1] ?? 0);
  if (length > LONGEST_HEADER) return bad(`a header of ${length} bytes, over ${LONGEST_HEADER}`);
  const size = TCP.get(family);
  // A LOCAL one speaks for the proxy itself; whatever its addresses are does not matter.
  const isLocal = command === 0x20;
  const addresses = size === undefined ? SILENT.get(family) : 2 * size + 4;
  if (addresses === undefined && !isLocal) return bad('an address family that is not TCP');
  if (HEAD + (addresses ?? 0) > length && !isLocal) return bad('addresses that are cut short');
  if (bytes.length < length) return MORE;
  const body = bytes.subarray(HEAD, length);
  if (isLocal) return { t: 'header', length, header: { version: 2 } };
  const tlvs = readTlvs(bytes.subarray(0, length), HEAD + (addresses ?? 0));
  if (typeof tlvs === 'string') return bad(tlvs);
  const places = size === undefined ? undefined : readPlaces(body, size);
  const known = places === undefined ? {} : { source: places[0], destination: places[1] };
  return { t: 'header', length, header: { version: 2, ...known, tlvs } };
};

/** Reads what has come so far, from the first byte of a connection on; to be asked again with more. */
export const decodeProxyHeader = (
  bytes: Uint8Array,
  { required }: { readonly required: boolean },
): Decoded => {
  if (bytes.length === 0) return MORE;
  if (begins(bytes, WORD)) return bytes.length < WORD.length ? MORE : decodeLine(bytes);
  if (begins(bytes, SIGNATURE)) return bytes.length < SIGNATURE.length ? MORE : decodeBinary(bytes);
  return required ? bad('no header') : { t: 'none' };
};
