/** What a header of version 2 adds to its addresses. Pure. Source: PROXY protocol §2.2. */
import { crc32c } from './crc32c.ts';
import { SSL_CLIENT, type Ssl, type Tlvs, TYPE } from './header.ts';

const LONGEST_ID = 128;
const CRC_BYTES = 4;
const SSL_HEAD = 5;

/** Each type with its value and where that stands; `undefined`: they do not end with the header. */
const split = (
  bytes: Uint8Array,
  from: number,
): readonly (readonly [type: number, value: Uint8Array, at: number])[] | undefined => {
  const parts: [number, Uint8Array, number][] = [];
  let at = from;
  while (at < bytes.length) {
    const [type = 0, high = 0, low = 0] = bytes.subarray(at, at + 3);
    const end = at + 3 + (high << 8) + low;
    if (at + 3 > bytes.length || end > bytes.length) return undefined;
    parts.push([type, bytes.subarray(at + 3, end), at + 3]);
    at = end;
  }
  return parts;
};

/** Text that may stand in a log; `undefined`: it is none. */
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return /\p{Cc}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
};

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const isIntact = (header: Uint8Array, at: number): boolean => {
  // Not `slice`: that of a Buffer shares its memory.
  const zeroed = new Uint8Array(header);
  zeroed.fill(0, at, at + CRC_BYTES);
  return new DataView(header.buffer, header.byteOffset + at).getUint32(0) === crc32c(zeroed);
};

const readSsl = (value: Uint8Array): Ssl | string => {
  const parts = value.length < SSL_HEAD ? undefined : split(value, SSL_HEAD);
  if (parts === undefined) return 'a TLS part that is cut short';
  const [client = 0] = value;
  const verify = new DataView(value.buffer, value.byteOffset).getUint32(1);
  const found: { version?: string; cn?: string } = {};
  for (const [type, bytes] of parts) {
    const text = textOf(bytes);
    if (type !== TYPE.sslVersion && type !== TYPE.sslCn) continue;
    if (text === undefined) return 'text that is not UTF-8';
    if (type === TYPE.sslVersion) found.version = text;
    else found.cn = text;
  }
  return { verified: verify === 0 && (client & SSL_CLIENT.certificate) !== 0, ...found };
};

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads one; what is wrong with it, in words. */
const readOne = (
  header: Uint8Array,
  [type, value, at]: readonly [number, Uint8Array, number],
  tlvs: Writable<Tlvs>,
): string | undefined => {
  if (type === TYPE.alpn || type === TYPE.authority) {
    const text = textOf(value);
    if (text === undefined) return 'text that is not UTF-8';
    tlvs[type === TYPE.alpn ? 'alpn' : 'authority'] = text;
  } else if (type === TYPE.crc32c) {
    if (value.length !== CRC_BYTES || !isIntact(header, at)) return 'a wrong checksum';
  } else if (type === TYPE.uniqueId) {
    if (value.length > LONGEST_ID) return 'a unique id of over 128 bytes';
    tlvs.uniqueId = hexOf(value);
  } else if (type === TYPE.ssl) {
    const ssl = readSsl(value);
    if (typeof ssl === 'string') return ssl;
    tlvs.ssl = ssl;
  }
  return undefined;
};

/** Reads all from a place in a whole header on; those of unknown types are passed over. A text: what is wrong. */
export const readTlvs = (header: Uint8Array, from: number): Tlvs | string => {
  const parts = split(header, from);
  if (parts === undefined) return 'additions that do not end with the header';
  const tlvs: Writable<Tlvs> = {};
  for (const part of parts) {
    const wrong = readOne(header, part, tlvs);
    if (wrong !== undefined) return wrong;
  }
  return tlvs;
};
