/** PROXY headers as they go out. Pure. Source: PROXY protocol §2. */
import { crc32c } from './crc32c.ts';
import { type Place, type ProxyHeader, SIGNATURE, SSL_CLIENT, type Ssl, TYPE } from './header.ts';

const isV6 = ({ ip }: Place): boolean => ip.includes(':');

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const shorts = (...values: readonly number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));

/** The groups of an IPv6 address, a zone left out. */
const groupsOf = (ip: string): readonly number[] => {
  const [head = '', tail] = (ip.split('%')[0] ?? '').split('::');
  const read = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const front = read(head);
  if (tail === undefined) return front;
  const back = read(tail);
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
};

const v4Bytes = (ip: string): Uint8Array => Uint8Array.from(ip.split('.'), Number);

/** An address as IPv6; IPv4 is wrapped into it. */
const v6Bytes = (place: Place): Uint8Array =>
  isV6(place)
    ? shorts(...groupsOf(place.ip))
    : concat([shorts(0, 0, 0, 0, 0, 0xffff), v4Bytes(place.ip)]);

const v6Text = (place: Place): string =>
  isV6(place) ? (place.ip.split('%')[0] ?? '') : `::ffff:${place.ip}`;

const tlv = (type: number, value: Uint8Array): Uint8Array =>
  concat([Uint8Array.of(type), shorts(value.length), value]);

const textTlv = (type: number, text: string | undefined): readonly Uint8Array[] =>
  text === undefined ? [] : [tlv(type, bytesOf(text))];

const sslTlv = ({ verified, version, cn }: Ssl): Uint8Array =>
  tlv(
    TYPE.ssl,
    concat([
      Uint8Array.of(SSL_CLIENT.tls | (verified ? SSL_CLIENT.certificate : 0)),
      shorts(0, 0),
      ...textTlv(TYPE.sslVersion, version),
      ...textTlv(TYPE.sslCn, cn),
    ]),
  );

/** The addresses with their family: those of both must be of one, and IPv4 is wrapped where they are not. */
const addressPart = (source: Place, destination: Place): readonly [number, Uint8Array] => {
  const ports = shorts(source.port, destination.port);
  if (isV6(source) || isV6(destination))
    return [0x21, concat([v6Bytes(source), v6Bytes(destination), ports])];
  return [0x11, concat([v4Bytes(source.ip), v4Bytes(destination.ip), ports])];
};

const encodeLine = ({ source, destination }: ProxyHeader): Uint8Array => {
  if (source === undefined || destination === undefined) return bytesOf('PROXY UNKNOWN\r\n');
  const family = isV6(source) || isV6(destination) ? 'TCP6' : 'TCP4';
  const show = family === 'TCP6' ? v6Text : ({ ip }: Place): string => ip;
  const { port } = source;
  return bytesOf(
    `PROXY ${family} ${show(source)} ${show(destination)} ${port} ${destination.port}\r\n`,
  );
};

const encodeBinary = ({ source, destination, tlvs = {} }: ProxyHeader): Uint8Array => {
  const [family, addresses] =
    source === undefined || destination === undefined
      ? [0, new Uint8Array()]
      : addressPart(source, destination);
  const { alpn, authority, uniqueId, ssl } = tlvs;
  const body = concat([
    addresses,
    ...textTlv(TYPE.alpn, alpn),
    ...textTlv(TYPE.authority, authority),
    ...(uniqueId === undefined ? [] : [tlv(TYPE.uniqueId, hexBytes(uniqueId))]),
    ...(ssl === undefined ? [] : [sslTlv(ssl)]),
    tlv(TYPE.crc32c, shorts(0, 0)),
  ]);
  const command = family === 0 ? 0x20 : 0x21;
  const header = concat([SIGNATURE, Uint8Array.of(command, family), shorts(body.length), body]);
  new DataView(header.buffer).setUint32(header.length - 4, crc32c(header));
  return header;
};

const hexBytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** A header as bytes. Version 2 has a checksum; without addresses it speaks for the proxy itself. */
export const encodeProxyHeader = (header: ProxyHeader): Uint8Array =>
  header.version === 1 ? encodeLine(header) : encodeBinary(header);
