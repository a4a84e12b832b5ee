/** The part of the file format that says how services are found in Consul. Pure. Source: linkerd 1.x. */
import type { Path } from '../path.ts';
import { absent, list, object, optional, required } from './codec.ts';
import * as v from './values.ts';

const STATUSES = ['passing', 'warning', 'critical', 'maintenance'] as const;

const tagWeight = object('an object with tag and weight', {
  tag: required(v.text, 'Tag of an instance.'),
  weight: required(v.number('a number from 0 to 1000000', 0, 1e6), 'Weight of instances with it.'),
});

/** Credentials and trust towards an HTTPS API. */
export const apiTls = object('an object with the keys of tls', {
  trustCerts: optional(list(v.text), [], 'PEM files of the roots to trust; none: the platform’s.'),
  certPath: absent(v.text, 'none', 'PEM file of a client certificate.'),
  keyPath: absent(v.text, 'none', 'PEM file of its key.'),
});

/** The namer of Consul. */
export const consul = object('an object with the keys of io.l5d.consul', {
  prefix: optional(v.namerPrefix, '/io.l5d.consul' as Path, v.PREFIX_DOC),
  host: optional(v.apiHost, 'localhost', 'Host of the agent.'),
  port: optional(v.port, 8500, 'Port of its HTTP API.'),
  tls: absent(apiTls, 'plain HTTP', 'Asks by HTTPS.'),
  token: absent(v.text, 'none', 'ACL token. `/config.json` does not show it.'),
  includeTag: optional(v.flag, false, 'Names are `/DC/TAG/SERVICE`, not `/DC/SERVICE`.'),
  useHealthCheck: optional(
    v.flag,
    true,
    'Instances whose health is none of `healthStatuses` are left out.',
  ),
  healthStatuses: optional(
    list(v.word(...STATUSES)),
    ['passing'],
    'States of health in which instances are used; the worst check of one decides.',
  ),
  setHost: optional(v.flag, false, 'Tells `SERVICE.service.DC.consul` as the authority of a name.'),
  consistencyMode: optional(
    v.word('default', 'stale', 'consistent'),
    'default',
    '`stale`: a server that lags may answer; `consistent`: the leader asks its peers first.',
  ),
  preferServiceAddress: optional(v.flag, true, 'The address of the service wins over its node’s.'),
  weights: optional(
    list(tagWeight),
    [],
    'Weights by tag, the largest counts, 1 without; with none configured Consul’s own weights count.',
  ),
});
