/** What an endpoint is told of the connection that is for it: a server name, a PROXY header. */
import { parseAddress } from './address.ts';
import type { ClientPolicy } from './config/config.ts';
import type { Envelope } from './envelope.ts';
import { captureNames, substitute } from './path.ts';
import { encodeProxyHeader } from './proxy-protocol/encode.ts';
import type { ProxyHeader, Ssl } from './proxy-protocol/header.ts';

/** The connection that a dial is for. */
export interface Introduced {
  readonly envelope: Envelope;
  /** The address that it was accepted at, `ip:port`. */
  readonly local: () => string | undefined;
}

/** What to say; `lacks`: why that cannot be said. */
export type Introduction =
  | { readonly serverName?: string; readonly preamble?: Uint8Array }
  | { readonly lacks: string };

const sslOf = ({ tls, cert }: Envelope): Ssl | undefined =>
  tls === undefined
    ? undefined
    : {
        verified: cert !== undefined,
        version: tls,
        ...(cert?.cn === undefined ? {} : { cn: cert.cn }),
      };

const headerOf = (
  version: ProxyHeader['version'],
  { envelope, local }: Introduced,
): ProxyHeader => {
  const { src, sni, alpn } = envelope;
  const source = parseAddress(src);
  const destination = parseAddress(envelope.local ?? local() ?? '');
  if (source === undefined || destination === undefined) return { version };
  const ssl = sslOf(envelope);
  const tlvs = {
    ...(sni === undefined ? {} : { authority: sni }),
    ...(alpn === undefined ? {} : { alpn }),
    ...(ssl === undefined ? {} : { ssl }),
  };
  return { version, source, destination, tlvs };
};

/** Introduces a connection to an endpoint, as the policy of its name wants it; without one it is a spare. */
export const introduce = (
  { serverName, proxyProtocol }: ClientPolicy,
  introduced: Introduced | undefined,
): Introduction => {
  const sni = introduced?.envelope.sni;
  const wantsSni = serverName !== undefined && captureNames(serverName).includes('sni');
  if (wantsSni && sni === undefined) return { lacks: 'the client asked for no server name' };
  if (proxyProtocol !== undefined && introduced === undefined)
    return { lacks: 'the client has gone' };
  const name = wantsSni && sni !== undefined ? substitute(serverName, { sni }) : serverName;
  return {
    ...(name === undefined ? {} : { serverName: name }),
    ...(proxyProtocol === undefined || introduced === undefined
      ? {}
      : { preamble: encodeProxyHeader(headerOf(proxyProtocol === 'v1' ? 1 : 2, introduced)) }),
  };
};
