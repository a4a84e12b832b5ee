/** Client blocks as partial policies. Pure. */
import type { Workshop } from './build.ts';
import { buildTlsClient } from './build-tls.ts';
import type { ClientConfig } from './config.ts';
import type { Steps } from './document.ts';
import type { RawBlock, RawClient } from './schema-client.ts';

/** Leaves out what is `undefined`: only keys that are in the file may win over others. */
const given = <T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

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

const buildBlock = (shop: Workshop, raw: RawBlock, steps: Steps): ClientConfig => {
  const { prefix, loadBalancer, failFast, requeueBudget, clientSession, tls, ...plain } = raw;
  return {
    prefix,
    settings: given({
      ...plain,
      loadBalancer: loadBalancer === undefined ? undefined : given(loadBalancer),
      failFast: failFast === undefined ? undefined : buildFailFast(failFast),
      requeueBudget: requeueBudget === undefined ? undefined : given(requeueBudget),
      spareIdleMs: clientSession?.idleTimeMs,
      tls: tls === undefined ? undefined : buildTlsClient(shop, tls, [...steps, 'tls']),
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
