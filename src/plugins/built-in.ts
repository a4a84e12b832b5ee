/** The operators that come along, as kinds like those of plugins. */
import { canary } from '../operators/canary.ts';
import { concurrencyLimit } from '../operators/concurrency-limit.ts';
import { fault } from '../operators/fault.ts';
import { rateLimit } from '../operators/rate-limit.ts';
import { sourceFilter } from '../operators/source-filter.ts';
import type { KindMaps } from './plugin.ts';

/** What no module has to be named for. */
export const BUILT_IN: KindMaps = {
  operators: new Map([
    ['io.l5d.rateLimit', rateLimit],
    ['io.l5d.concurrencyLimit', concurrencyLimit],
    ['io.l5d.sourceFilter', sourceFilter],
    ['io.l5d.canary', canary],
    ['io.l5d.fault', fault],
  ]),
  namers: new Map(),
  interpreters: new Map(),
  identifiers: new Map(),
  loadBalancers: new Map(),
};
