/** What a server’s config says of who is let in and where to, compiled once. */
import type { ServerConfig } from '../config/config.ts';
import {
  compileIdentify,
  constantOf,
  type Identified,
  type Identify,
  type MakeIdentifier,
} from './identify.ts';
import { type IpList, makeIpList } from './ip-list.ts';

/** The rules of one server. */
export interface Rules {
  readonly identify: Identify;
  /** What all connections are identified as that nothing has to be known of. */
  readonly constant: Identified | undefined;
  /** Whether a client’s address is let in; `undefined`: all are. */
  readonly isAllowed: IpList | undefined;
  /** Whether a PROXY header from this address is believed. */
  readonly isTrusted: IpList | undefined;
}

const allowance = ({ allow, deny }: ServerConfig['sources']): IpList | undefined => {
  if (allow.length === 0 && deny.length === 0) return undefined;
  const allowed = makeIpList(allow);
  const denied = makeIpList(deny);
  return (ip) => !denied(ip) && (allow.length === 0 || allowed(ip));
};

/** Compiles them. */
export const compileRules = (config: ServerConfig, make: MakeIdentifier): Rules => {
  const { identify, sources, proxyProtocol, peek, tls } = config;
  const isAllowed = allowance(sources);
  const isPlain =
    isAllowed === undefined &&
    proxyProtocol === undefined &&
    peek === undefined &&
    tls === undefined;
  return {
    identify: compileIdentify(identify, make),
    constant: isPlain ? constantOf(identify) : undefined,
    isAllowed,
    isTrusted: proxyProtocol === undefined ? undefined : makeIpList(proxyProtocol.trust),
  };
};
