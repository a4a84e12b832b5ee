/** The part of the API that keeps dtabs: `/api/1/dtabs` and what is below it. */
import { type Either, isLeft, left, mapLeft, right, traverseArray } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { distinctUntilChanged, filter, map, type Observable, of, take } from 'rxjs';
import type { Dentry, Dtab } from '../dtab/dtab.ts';
import { parseDtab, parsePrefix, parseTree } from '../dtab/parse.ts';
import { showDtabShort, showPrefix, showTreeShort } from '../dtab/print.ts';
import { namesJson } from '../interpreter/names-json.ts';
import type { Log } from '../log.ts';
import { isYes, paramsOf } from './params.ts';
import { empty, header, line, lines, mediaType, type Reply, type Request, words } from './reply.ts';
import type { DtabStore, Outcome, StoredDtab } from './store.ts';

const JSON_TYPE = 'application/json';
const DTAB_TYPES: readonly string[] = ['application/dtab', 'text/plain'];

const RawDentry = t.strict({ prefix: t.string, dst: t.string });
const RawDentries = t.array(RawDentry);

const isExact = (item: unknown): boolean =>
  typeof item === 'object' &&
  item !== null &&
  Object.keys(item).every((key) => key === 'prefix' || key === 'dst');

/** Each text is read alone: a comment or a separator in one must not reach into the next. */
const readDentry = (raw: t.TypeOf<typeof RawDentry>): Either<string, Dentry> => {
  const [prefix, dst] = [parsePrefix(raw.prefix), parseTree(raw.dst)];
  return isLeft(prefix) || isLeft(dst) ? left('') : right({ prefix: prefix.right, dst: dst.right });
};

/** What is wrong with a text in a JSON dtab is not told: namerd tells nothing there. */
const readJson = (body: string): Either<string, Dtab> => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return left('');
  }
  const dentries = RawDentries.decode(json);
  if (isLeft(dentries) || !Array.isArray(json) || !json.every(isExact)) return left('');
  return traverseArray(readDentry)(dentries.right);
};

const readBody = (type: string, body: string): Either<string, Dtab> => {
  if (type === JSON_TYPE) return readJson(body);
  return mapLeft(({ message }: { readonly message: string }) => message)(parseDtab(body));
};

const showJson = (dtab: Dtab): string =>
  JSON.stringify(
    dtab.map((dentry) => ({ prefix: showPrefix(dentry), dst: showTreeShort(dentry.dst) })),
  );

/** The first type that is accepted and known. */
const wantedType = (request: Request): string => {
  const accepted = (header(request, 'accept') ?? '').split(',').map(mediaType);
  return accepted.find((type) => type === JSON_TYPE || DTAB_TYPES.includes(type)) ?? JSON_TYPE;
};

const etagOf = ({ version }: StoredDtab): string => Buffer.from(version).toString('base64');

/** Foreign characters are skipped, as MIME has it. */
const readStamp = (text: string): Uint8Array | undefined => {
  const bare = text.replace(/[^A-Za-z0-9+/]/g, '');
  return bare.length % 4 === 1 ? undefined : Uint8Array.from(Buffer.from(bare, 'base64'));
};

const STATUS = { done: 204, exists: 409, missing: 404, mismatch: 412 } as const;

const replyTo = (outcome: Outcome): Reply =>
  typeof outcome === 'string' ? empty(STATUS[outcome]) : words(500, outcome.cause);

/** Serves dtabs from a store. */
export class Dtabs {
  readonly #store: DtabStore;

  readonly #log: Log;

  constructor(store: DtabStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** The namespaces. */
  list(request: Request): Observable<Reply> {
    const { list$ } = this.#store;
    if (isYes(paramsOf(request).get('watch')))
      return of(lines(list$.pipe(map(namesJson), distinctUntilChanged())));
    return list$.pipe(
      take(1),
      map((names) => line(namesJson([...names].sort()))),
    );
  }

  /** One namespace. */
  one(request: Request, namespace: string): Observable<Reply> {
    switch (request.method) {
      case 'GET':
        return this.#get(request, namespace);
      case 'HEAD':
        return this.#first(namespace, (stored) => ({
          status: 200,
          headers: { etag: etagOf(stored) },
        }));
      case 'POST':
      case 'PUT':
        return this.#write(request, namespace);
      case 'DELETE':
        return this.#store.delete(namespace).pipe(map((outcome) => this.#told(namespace, outcome)));
      default:
        return of(empty(405));
    }
  }

  #first(namespace: string, found: (stored: StoredDtab) => Reply): Observable<Reply> {
    return this.#store.watch(namespace).pipe(
      take(1),
      map((stored) => (stored === undefined ? empty(404) : found(stored))),
    );
  }

  #get(request: Request, namespace: string): Observable<Reply> {
    const type = wantedType(request);
    const show = ({ dtab }: StoredDtab): string =>
      type === JSON_TYPE ? showJson(dtab) : showDtabShort(dtab);
    if (!isYes(paramsOf(request).get('watch')))
      return this.#first(namespace, (stored) =>
        line(show(stored), { 'content-type': type, etag: etagOf(stored) }),
      );
    const dtab$ = this.#store.watch(namespace).pipe(
      filter((stored) => stored !== undefined),
      map(show),
    );
    return of(lines(dtab$, { 'content-type': type }));
  }

  #write(request: Request, namespace: string): Observable<Reply> {
    const isPut = request.method === 'PUT';
    const given = header(request, 'content-type');
    const type = mediaType(given ?? '');
    if (type !== JSON_TYPE && !DTAB_TYPES.includes(type))
      return of(isPut ? words(400, `unsupported media type: ${given ?? 'none'}`) : empty(400));
    const dtab = readBody(type, request.body);
    if (isLeft(dtab)) return of(isPut ? words(400, dtab.left) : empty(400));
    const outcome$ = isPut
      ? this.#put(request, namespace, dtab.right)
      : right(this.#store.create(namespace, dtab.right));
    return isLeft(outcome$)
      ? of(outcome$.left)
      : outcome$.right.pipe(map((outcome) => this.#told(namespace, outcome)));
  }

  /** Who changes where connections go leaves a line. */
  #told(namespace: string, outcome: Outcome): Reply {
    if (outcome === 'done') this.#log('info', 'dtab changed', { namespace });
    return replyTo(outcome);
  }

  #put(request: Request, namespace: string, dtab: Dtab): Either<Reply, Observable<Outcome>> {
    const stamp = header(request, 'if-match');
    if (stamp === undefined) return right(this.#store.put(namespace, dtab));
    const version = readStamp(stamp);
    if (version === undefined) return left(words(500, `expected base64 in If-Match, got ${stamp}`));
    return right(this.#store.update(namespace, dtab, version));
  }
}

/** The dtab of a namespace as it changes; one that is not there is empty. */
export const dtabOf = (store: DtabStore, namespace: string): Observable<Dtab> =>
  store.watch(namespace).pipe(map((stored) => stored?.dtab ?? []));
