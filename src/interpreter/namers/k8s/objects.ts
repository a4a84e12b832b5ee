/** Objects of Kubernetes as its API writes them, read tolerantly. Pure. */

/** What all objects have. */
export interface KubeObject {
  readonly name: string;
  /** Where a watch may go on from; empty: it says none. */
  readonly version: string;
}

/** Makes an object of JSON; `undefined`: it is none. */
export type Read<T> = (value: unknown) => T | undefined;

type Json = Readonly<Record<string, unknown>>;

/** What is no object counts as one without keys. */
export const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** What is no text counts as an empty one. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What is no list counts as an empty one. */
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The version of an object, or of a list of them, where a watch may go on from. */
export const versionOf = (value: unknown): string =>
  text(record(record(value)['metadata'])['resourceVersion']);

/** Reads what all objects have; `undefined`: it has no name. */
export const readObject: Read<KubeObject> = (value) => {
  const name = text(record(record(value)['metadata'])['name']);
  return name === '' ? undefined : { name, version: versionOf(value) };
};

/** The items of a list, and the version of all of it; `undefined`: it is no list. */
export const readList = <T>(
  value: unknown,
  read: Read<T>,
): { readonly version: string; readonly objects: readonly T[] } | undefined => {
  const { items } = record(value);
  if (!Array.isArray(items)) return undefined;
  const objects = items.map(read).filter((one) => one !== undefined);
  return { version: versionOf(value), objects };
};
