/** What several workers show of one router, as one. Pure. */
import {
  type EndpointView,
  MOST_CONNECTIONS,
  type NameView,
  type RouterView,
  type ServerView,
} from '../view.ts';

/** Groups by a key, in the order of first sight, and makes one of each group. */
const unite = <T>(
  lists: readonly (readonly T[])[],
  keyOf: (item: T) => string,
  join: (one: T, other: T) => T,
): readonly T[] => {
  const united = new Map<string, T>();
  for (const item of lists.flat()) {
    const key = keyOf(item);
    const known = united.get(key);
    united.set(key, known === undefined ? item : join(known, item));
  }
  return [...united.values()];
};

const joinServers = (one: ServerView, other: ServerView): ServerView => ({
  ...one,
  active: one.active + other.active,
  waiting: one.waiting + other.waiting,
});

/** Workers judge an endpoint each for itself: where one takes it, it is available. */
const joinEndpoints = (one: EndpointView, other: EndpointView): EndpointView => {
  const better = other.state === 'available' ? other : one;
  return {
    ...better,
    load: one.load + other.load,
    dialing: one.dialing + other.dialing,
    open: one.open + other.open,
    consecutiveFailures: Math.max(one.consecutiveFailures, other.consecutiveFailures),
  };
};

const joinNames = (one: NameView, other: NameView): NameView => ({
  // Whoever has settled something knows more.
  ...(one.state === 'pending' ? other : one),
  stale: one.stale && other.stale,
  waiters: one.waiters + other.waiters,
  spares: one.spares + other.spares,
  endpoints: unite([one.endpoints, other.endpoints], ({ address }) => address, joinEndpoints),
});

/** Makes one view of a router; `undefined`: nobody has it. */
export const mergeViews = (views: readonly RouterView[]): RouterView | undefined => {
  const [first] = views;
  if (first === undefined) return undefined;
  return {
    label: first.label,
    servers: unite(
      views.map(({ servers }) => servers),
      ({ address }) => address,
      joinServers,
    ),
    names: unite(
      views.map(({ names }) => names),
      ({ dst }) => dst,
      joinNames,
    ),
    connections: views.flatMap(({ connections }) => connections).slice(0, MOST_CONNECTIONS),
  };
};
