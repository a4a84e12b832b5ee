/** The names `/$/inet/host/port`: hosts by DNS, or IP addresses as they are. Source: Finagle’s inet resolver. */
import { map, of } from 'rxjs';
import { dnsName } from '../../dns-name.ts';
import { leaf, NEG } from '../../dtab/name-tree.ts';
import { segmentBytes } from '../../dtab/segment.ts';
import { hostIp } from '../../ip.ts';
import { type Path, segments } from '../../path.ts';
import { addrOfHosts, type HostPort, type Resolve } from './hosts.ts';
import type { Addr, Namer } from './namer.ts';

/** Where its names stand. */
export const INET = '/$/inet' as Path;

const textOf = (segment: string): string => Buffer.from(segmentBytes(segment)).toString('utf8');

const hostOf = (segment: string, port: number): HostPort | undefined => {
  const text = textOf(segment);
  const ip = hostIp(text);
  if (ip !== undefined) return { host: ip, isIp: true, port };
  const name = dnsName(text);
  return name === undefined ? undefined : { host: name, isIp: false, port };
};

/** A host that DNS does not know leaves nobody. */
const orNeg = (addr: Addr): Addr =>
  addr.t === 'bound' && addr.endpoints.length === 0 ? { t: 'neg' } : addr;

/** The namer: an unknown host is a leaf that does not exist; what is no host and port is no name at all. */
export const makeInet =
  (resolve: Resolve): Namer =>
  (path) => {
    const [hostText, portText, ...rest] = segments(path);
    if (hostText === undefined || portText === undefined)
      return of({ t: 'failed', cause: `expected ${INET}/host/port, got ${INET}${path}` });
    const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
    const host = port < 1 || port > 65_535 ? undefined : hostOf(hostText, port);
    if (host === undefined) return of({ t: 'ok', tree: NEG });
    const id = `${INET}/${hostText}/${portText}` as Path;
    const residual = `/${rest.join('/')}` as Path;
    const addr$ = addrOfHosts([host], resolve).pipe(map(orNeg));
    return of({ t: 'ok', tree: leaf({ id, residual, addr$ }) });
  };
