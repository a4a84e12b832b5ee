/** The part of the file format that says who is let in, and where to. Pure. */
import { absent, type Of, object, oneOrMore, optional, required } from './codec.ts';
import * as v from './values.ts';

const patterns = oneOrMore(v.text);

const clientCert = object('an object with the keys of clientCert', {
  subject: absent(patterns, 'whatever it is', 'Its subject, such as `O=Shop, CN=web`, exactly.'),
  cn: absent(patterns, 'whatever it is', 'Its common name, by labels.'),
  dns: absent(patterns, 'whatever it is', 'One of its DNS names, by labels.'),
  uri: absent(
    patterns,
    'whatever it is',
    'One of its URIs, by segments: `spiffe://prod/ns/*/sa/web`.',
  ),
  ip: absent(patterns, 'whatever it is', 'One of its IP addresses.'),
  spiffe: absent(patterns, 'whatever it is', 'Its SPIFFE id, by segments.'),
  fingerprint: absent(patterns, 'whatever it is', 'SHA-256 of all of it, in hex.'),
});

/** A rule as it stands in the file. */
export type RawRule = Of<typeof rule>;
/** A rule that says where connections go. */
export const rule = object('an object with dst and conditions', {
  dst: required(
    v.text,
    'Name to route to; `{sni}`, `{alpn}`, `{source}`, `{localPort}` and captures stand for one segment each.',
  ),
  sni: absent(
    patterns,
    'whatever it is',
    'Server name asked for, by labels: `*.example.com`, `{tenant}.example.com`.',
  ),
  alpn: absent(
    patterns,
    'whatever it is',
    'Protocol agreed by ALPN; of a peeked ClientHello, one of those that it offers.',
  ),
  source: absent(oneOrMore(v.network), 'whatever it is', 'Address or network of the client.'),
  localPort: absent(oneOrMore(v.port), 'whatever it is', 'Port that the connection was sent to.'),
  clientCert: absent(
    clientCert,
    'whatever it is',
    'What the client’s verified certificate says; all that is given must hold, and `{}` is any certificate.',
  ),
});

/** Who may connect, as it stands in the file. */
export const sources = object('an object with allow and deny', {
  allow: optional(
    oneOrMore(v.network),
    [],
    'Addresses and networks of clients that are let in; none given: all.',
  ),
  deny: optional(oneOrMore(v.network), [], 'Those that are not, also where `allow` has them.'),
});

/** How a ClientHello is read. */
export const peek = object('an object with timeoutMs', {
  timeoutMs: optional(
    v.millis,
    3000,
    'Longest wait for it; then the connection goes where one without a name does.',
  ),
});

/** Whose PROXY headers are believed. */
export const proxyProtocol = object('an object with trust, required and timeoutMs', {
  trust: required(
    oneOrMore(v.network),
    'Addresses and networks of the proxies. A header of others is none: it is passed on as it is.',
  ),
  required: optional(v.flag, true, 'Connections without a header, or from others, are refused.'),
  timeoutMs: optional(v.millis, 3000, 'Longest wait for it.'),
});
