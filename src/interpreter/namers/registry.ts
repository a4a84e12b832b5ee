/** Which namer knows a name: those of the configuration by their prefix, and what begins with `/$/`. */
import { type Observable, of } from 'rxjs';
import { joined, restOf } from '../../dtab/index-of.ts';
import { EMPTY, FAIL, leaf, type NameTree, NEG } from '../../dtab/name-tree.ts';
import { type Path, segments } from '../../path.ts';
import type { Binding, Bound, Namer } from './namer.ts';

/** A namer and the names that it is asked for. */
export interface Registered {
  /** `/#/io.l5d.fs`; no prefix may begin with another. */
  readonly prefix: Path;
  /** Gets what stands behind the prefix. */
  readonly namer: Namer;
}

type Rewrite = (found: readonly string[]) => NameTree<Bound | Path> | undefined;

const to = (path: string): NameTree<Path> => leaf(path as Path);

const split = (text: string): readonly [host: string, port: string] | undefined => {
  const colon = text.lastIndexOf(':');
  return colon <= 0 || colon === text.length - 1
    ? undefined
    : [text.slice(0, colon), text.slice(colon + 1)];
};

/** `pfx`, `host:port`, … become `/pfx/host/port/…`, or with the port first. */
const pairs =
  (isPortFirst: boolean): Rewrite =>
  (found) => {
    const [prefix, pair] = found;
    const parts = split(pair ?? '');
    if (prefix === undefined || parts === undefined) return undefined;
    const [host, port] = parts;
    const both = isPortFirst ? `${port}/${host}` : `${host}/${port}`;
    return to(`/${prefix}/${both}${restOf(found, 2)}`);
  };

/** Names that stand for others. Source: Finagle’s and linkerd’s utility namers. */
const REWRITES: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ['nil', () => EMPTY],
  ['fail', () => FAIL],
  ['io.buoyant.hostportPfx', pairs(false)],
  ['io.buoyant.porthostPfx', pairs(true)],
  [
    'io.buoyant.rinet',
    (found) => {
      const [port, host] = found;
      if (port === undefined || host === undefined) return undefined;
      return to(`/$/inet/${host}/${port}${restOf(found, 2)}`);
    },
  ],
  [
    'io.buoyant.http.domainToPathPfx',
    (found) => {
      const [prefix, domain] = found;
      if (prefix === undefined || domain === undefined) return undefined;
      return to(`/${prefix}/${domain.split('.').reverse().join('/')}${restOf(found, 2)}`);
    },
  ],
]);

const ok = (tree: NameTree<Bound | Path>): Observable<Binding> => of({ t: 'ok', tree });

const utility = (path: Path): Observable<Binding> => {
  const [, kind = '', ...rest] = segments(path);
  const rewrite = REWRITES.get(kind);
  if (rewrite === undefined)
    return of({ t: 'failed', cause: `expected a name that is known behind /$/, got ${path}` });
  return ok(rewrite(rest) ?? NEG);
};

const startsWith = (path: Path, prefix: Path): boolean =>
  path === prefix || path.startsWith(`${prefix}/`);

/** One namer that asks the right one of many. Names of none are `neg`; unknown ones behind `/$/` have failed. */
export const makeRegistry =
  (all: readonly Registered[]): Namer =>
  (path) => {
    const found = all.find(({ prefix }) => startsWith(path, prefix));
    if (found !== undefined)
      return found.namer(joined('/' as Path, path.slice(found.prefix.length)));
    return startsWith(path, '/$' as Path) ? utility(path) : ok(NEG);
  };
