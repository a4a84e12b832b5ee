/** The part of the file format that says how services are found by DNS. Pure. */
import type { Path } from '../path.ts';
import { absent, list, object, optional } from './codec.ts';
import * as v from './values.ts';

/** The namer of SRV records. */
export const dnssrv = object('an object with the keys of io.l5d.dnssrv', {
  prefix: optional(v.namerPrefix, '/io.l5d.dnssrv' as Path, v.PREFIX_DOC),
  domain: absent(
    v.hostName,
    'none',
    'Put behind each name: `_redis._tcp` is asked for as `_redis._tcp.example.com`.',
  ),
  dnsHosts: absent(
    list(v.dnsServer),
    'the system’s',
    'DNS servers to ask, in this order: `10.0.0.2`, `10.0.0.2:5353` or `[fd00::2]:53`.',
  ),
  refreshIntervalSeconds: absent(
    v.seconds,
    'the TTL of the records',
    'Services are asked for again so often.',
  ),
});
