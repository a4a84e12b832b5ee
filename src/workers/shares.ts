/** The limits of a config divided among workers, so that together they allow what the config says. Pure. */
import type { ClientConfig, ClientSettings, Config, RouterConfig } from '../config/config.ts';

/** Which of how many. */
export interface Slot {
  /** From 0. */
  readonly slot: number;
  readonly workers: number;
}

/** A worker’s share of a whole number of things; all shares add up to it. */
export const shareOf = (total: number, { slot, workers }: Slot): number =>
  Math.floor(total / workers) + (slot < total % workers ? 1 : 0);

/** As `shareOf`, where a worker cannot do without one: where there are fewer things than workers, there is one for each. */
const someOf = (total: number, slot: Slot): number => Math.max(1, shareOf(total, slot));

const shareClient = ({ settings, ...client }: ClientConfig, slot: Slot): ClientConfig => {
  const { maxWaiters, minConnections, requeueBudget } = settings;
  const minRetriesPerSec = requeueBudget?.minRetriesPerSec;
  const shared: ClientSettings = {
    ...settings,
    ...(maxWaiters === undefined ? {} : { maxWaiters: someOf(maxWaiters, slot) }),
    ...(minConnections === undefined ? {} : { minConnections: shareOf(minConnections, slot) }),
    ...(minRetriesPerSec === undefined
      ? {}
      : { requeueBudget: { ...requeueBudget, minRetriesPerSec: minRetriesPerSec / slot.workers } }),
  };
  return { ...client, settings: shared };
};

const shareRouter = (router: RouterConfig, whole: ClientConfig, slot: Slot): RouterConfig => ({
  ...router,
  // What no block sets is shared out as well.
  client: [whole, ...router.client].map((client) => shareClient(client, slot)),
  servers: router.servers.map((server) => ({
    ...server,
    maxConcurrency: someOf(server.maxConcurrency, slot),
  })),
  bindingCache: { ...router.bindingCache, paths: someOf(router.bindingCache.paths, slot) },
});

/** The config of one worker. `defaults` are the settings of clients where the config has none. */
export const shareConfig = (config: Config, defaults: ClientSettings, slot: Slot): Config => ({
  ...config,
  maxBufferedBytes: someOf(config.maxBufferedBytes, slot),
  ...(config.recorder === undefined
    ? {}
    : { recorder: { ...config.recorder, maxBytes: someOf(config.recorder.maxBytes, slot) } }),
  routers: config.routers.map((router) =>
    shareRouter(router, { prefix: '/', settings: defaults }, slot),
  ),
});
