/** What is there, and nothing else. Pure. */

/** Leaves out what is `undefined`: a key that is absent and one that is not set are the same. */
export const given = <T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
