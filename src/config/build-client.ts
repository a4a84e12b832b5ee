/** Client blocks as partial policies. Pure. */
import type { Workshop } from './build.ts';
import { buildTlsClient } from './build-tls.ts';
import type { ClientConfig, LoadBalancerSettings } from './config.ts';
import type { Steps } from './document.ts';
import { given } from './given.ts';
import { isPersonal } from './policy.ts';
import { showPath } from './report.ts';
import type { RawBlock, RawClient } from './schema-client.ts';

const buildFailFast = ({
  maxConsecutiveFailures,
  failurePenaltySecs,
}: NonNullable<RawBlock['failFast']>) =>
  given({
    // 0 failures in a row would put every endpoint aside at once; it always meant that none is.
    maxConsecutiveFailures:
      maxConsecutiveFailures === 0 ? Number.POSITIVE_INFINITY : maxConsecutiveFailures,
    failurePenaltySecs,
  });

const buildBalancer = (
  raw: NonNullable<RawBlock['loadBalancer']>,
  place: string,
): LoadBalancerSettings => {
  const { load, ...rest } = raw;
  const custom = rest.kind === 'custom' ? { ...rest, place } : rest;
  return load === undefined ? custom : { ...custom, load };
};

const buildBlock = (shop: Workshop, raw: RawBlock, steps: Steps): ClientConfig => {
  const { prefix, loadBalancer, failFast, requeueBudget, clientSession, tls, ...plain } = raw;
  const policy = tls === undefined ? undefined : buildTlsClient(shop, tls, [...steps, 'tls']);
  const { minConnections = 0, proxyProtocol } = plain;
  if (minConnections > 0 && isPersonal(given({ proxyProtocol, tls: policy })))
    shop.errors.push({
      steps: [...steps, 'minConnections'],
      message:
        'expected none beside proxyProtocol or a dnsName with {sni}: a spare is for nobody yet',
    });
  return {
    prefix,
    place: showPath(steps),
    settings: given({
      ...plain,
      loadBalancer:
        loadBalancer === undefined
          ? undefined
          : buildBalancer(loadBalancer, showPath([...steps, 'loadBalancer'])),
      failFast: failFast === undefined ? undefined : buildFailFast(failFast),
      requeueBudget: requeueBudget === undefined ? undefined : given(requeueBudget),
      spareIdleMs: clientSession?.idleTimeMs,
      tls: policy,
    }),
  };
};

/** The client blocks of a router in the file’s order. */
export const buildClient = (
  shop: Workshop,
  raw: RawClient,
  steps: Steps,
): readonly ClientConfig[] =>
  raw.kind === 'io.l5d.static'
    ? raw.configs.map((block, i) => buildBlock(shop, block, [...steps, 'configs', i]))
    : [buildBlock(shop, raw, steps)];
