/** Which client settings a name gets. Pure. */
import { captureNames, compilePrefix, type Path, substitute } from '../path.ts';
import type { ClientConfig, ClientPolicy, ClientSettings } from './config.ts';

/** Most spares of a name. */
export const MOST_SPARES = 10_000;

/** What holds where no client block says otherwise. */
export const DEFAULT_POLICY: ClientPolicy = {
  loadBalancer: { kind: 'p2c', load: 'connections' },
  connectTimeoutMs: Number.POSITIVE_INFINITY,
  maxWaiters: 1_000_000,
  minConnections: 0,
  emptyWaitMs: 1000,
  failFast: { maxConsecutiveFailures: 5, failurePenaltySecs: 60 },
  requeueBudget: { minRetriesPerSec: 10, percentCanRetry: 0.2, ttlSecs: 10 },
  spareIdleMs: Number.POSITIVE_INFINITY,
};

/** Whether a connection to an endpoint says whom it is for, and so can be for nobody else. */
export const isPersonal = ({
  proxyProtocol,
  tls,
}: Pick<ClientSettings, 'proxyProtocol' | 'tls'>): boolean =>
  proxyProtocol !== undefined || captureNames(tls?.dnsName ?? '').includes('sni');

/** The policy of a name: every block whose prefix matches, the later ones winning key by key. */
export const clientPolicy = (client: readonly ClientConfig[], name: Path): ClientPolicy => {
  let policy = DEFAULT_POLICY;
  for (const { prefix, settings } of client) {
    const captures = compilePrefix(prefix)(name);
    if (captures === undefined) continue;
    const failFast = { ...policy.failFast, ...settings.failFast };
    const requeueBudget = { ...policy.requeueBudget, ...settings.requeueBudget };
    const loadBalancer =
      settings.loadBalancer === undefined
        ? policy.loadBalancer
        : { load: policy.loadBalancer.load, ...settings.loadBalancer };
    policy = { ...policy, ...settings, failFast, requeueBudget, loadBalancer };
    const dnsName = settings.tls?.dnsName;
    if (dnsName !== undefined) policy = { ...policy, serverName: substitute(dnsName, captures) };
  }
  return isPersonal(policy) ? { ...policy, minConnections: 0 } : policy;
};
