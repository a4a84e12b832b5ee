/** Which client settings a name gets. Pure. */
import { compilePrefix, type Path } from '../path.ts';
import type { ClientConfig, ClientPolicy } from './config.ts';

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

/** The policy of a name: every block whose prefix matches, the later ones winning key by key. */
export const clientPolicy = (client: readonly ClientConfig[], name: Path): ClientPolicy => {
  let policy = DEFAULT_POLICY;
  for (const { prefix, settings } of client) {
    if (compilePrefix(prefix)(name) === undefined) continue;
    const failFast = { ...policy.failFast, ...settings.failFast };
    const requeueBudget = { ...policy.requeueBudget, ...settings.requeueBudget };
    const loadBalancer = { ...policy.loadBalancer, ...settings.loadBalancer };
    policy = { ...policy, ...settings, failFast, requeueBudget, loadBalancer };
  }
  return policy;
};
