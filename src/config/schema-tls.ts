/** The part of the file format that is about TLS. Pure. */
import { absent, list, MapCodec, type Of, object, optional, required } from './codec.ts';
import * as v from './values.ts';

/** An identity as it stands in the file. */
export type RawIdentity = Of<typeof identity>;
const identity = object('an object with certs and privateKey', {
  certs: required(list(v.text), 'PEM files: the certificate, then its chain.'),
  privateKey: required(v.text, 'PEM file: PKCS#1, PKCS#8 or SEC1.'),
});

/** How clients prove who they are, as it stands in the file. */
export type RawClientAuth = Of<typeof clientAuth>;
const clientAuth = object('an object with mode, trustCerts and crls', {
  mode: required(
    v.word('none', 'optional', 'required'),
    'Whether clients are asked for a certificate, and must show one. One that is shown must be good.',
  ),
  trustCerts: optional(list(v.text), [], 'PEM files of the roots that they must lead to.'),
  crls: optional(
    list(v.text),
    [],
    'PEM files of revocation lists, one for each issuer. With them no session is resumed.',
  ),
});

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

const versions = {
  minVersion: optional(v.word(...VERSIONS), 'TLSv1.2', 'Oldest version of TLS that is spoken.'),
  maxVersion: optional(v.word(...VERSIONS), 'TLSv1.3', 'Newest version of TLS that is spoken.'),
  ciphers: absent(v.text, 'Node’s', 'Ciphers as an OpenSSL list, the preferred first.'),
};

/** The TLS of a server as it stands in the file. */
export type RawServerTls = Of<typeof serverTls>;
/** The TLS of a server. */
export const serverTls = object('an object with the keys of tls', {
  alpnProtocols: optional(list(v.protocol), [], 'Protocols offered by ALPN, the preferred first.'),
  handshakeTimeoutMs: optional(v.millis, 10_000, 'Longest handshake.'),
  defaultIdentity: absent(identity, 'none', 'Shown to clients that ask for no known name.'),
  identities: absent(
    new MapCodec('a map of server name to identity', identity),
    'none',
    'By server name (SNI), in any case; `*.example.com` stands for one label. An exact name wins.',
  ),
  strictSni: optional(
    v.flag,
    false,
    'Refuse clients that ask for no name, or for one that has no identity, with `unrecognized_name`.',
  ),
  ...versions,
  clientAuth: absent(clientAuth, 'none', 'How clients prove who they are.'),
  sessionTimeoutSecs: optional(
    v.secondsOrNone,
    300,
    'How long a client may resume its session without a full handshake; 0: never.',
  ),
});

/** The TLS of a client as it stands in the file. */
export type RawTlsClient = Of<typeof tlsClient>;
/** The TLS of a client. */
export const tlsClient = object('an object with the keys of tls', {
  dnsName: absent(
    v.text,
    'none',
    'Name asked for, and required in the endpoint’s certificate. `{sni}` is the name that the client asked for, `{name}` what the prefix captured.',
  ),
  trustCerts: absent(list(v.text), 'the platform’s roots', 'PEM files of the roots to trust.'),
  disableValidation: optional(
    v.flag,
    false,
    'Believe every endpoint, whatever it shows. Warns: whoever is in between can read and change all.',
  ),
  clientAuth: absent(identity, 'none', 'Shown to endpoints that ask who we are.'),
  alpnProtocols: optional(list(v.protocol), [], 'Protocols offered by ALPN, the preferred first.'),
  ...versions,
});
