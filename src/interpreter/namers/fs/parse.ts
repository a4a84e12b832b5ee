/** Files of addresses, one a line: `host port`, or `host port * weight`. Pure. Source: linkerd 1.x, io.l5d.fs. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { dnsName } from '../../../dns-name.ts';
import { hostIp } from '../../../ip.ts';
import { excerpt } from '../../excerpt.ts';

/** Where addresses are; a host that is no IP address is a name for DNS. */
export interface HostLine {
  /** Canonical: an IP address, or a name in lower case. */
  readonly host: string;
  readonly isIp: boolean;
  readonly port: number;
  /** Absent: none is written, which counts as 1. */
  readonly weight?: number;
}

const LINE = /^(\S+)\s+(\d{1,5})(?:\s+\*\s+(\S+))?$/;
const WEIGHT = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

const hostOf = (text: string): Pick<HostLine, 'host' | 'isIp'> | undefined => {
  const ip = hostIp(text);
  if (ip !== undefined) return { host: ip, isIp: true };
  const name = dnsName(text);
  return name === undefined ? undefined : { host: name, isIp: false };
};

const readLine = (line: string): HostLine | undefined => {
  const [, hostText = '', portText = '', weightText] = LINE.exec(line) ?? [];
  const host = hostOf(hostText);
  const port = Number(portText);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  if (weightText === undefined) return { ...host, port };
  const weight = WEIGHT.test(weightText) ? Number(weightText) : Number.NaN;
  return Number.isFinite(weight) ? { ...host, port, weight } : undefined;
};

/**
 * Reads a file; `#` begins a comment, which goes to the end of its line. One malformed line fails the whole file, since
 * half of a set would take all of its load. Error: the line and its number.
 */
export const parseHosts = (text: string): Either<string, readonly HostLine[]> => {
  const found: HostLine[] = [];
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.replace(/#.*$/, '').trim();
    if (line === '') continue;
    const known = readLine(line);
    if (known === undefined)
      return left(
        `malformed address: ${excerpt(line)} (line ${i + 1}: expected host port [* weight])`,
      );
    found.push(known);
  }
  return right(found);
};
