/** Objects of one kind: listed, then watched from there. Source: Kubernetes API concepts, “efficient detection of changes”. */
import { defer, mergeMap, type Observable, repeat, take, takeWhile, tap } from 'rxjs';
import type { Env } from '../../../env.ts';
import { ByteQueue, LineQueue } from '../../bytes.ts';
import { excerpt } from '../../excerpt.ts';
import { exchange, type Part } from '../../exchange.ts';
import type { Transport } from '../../transport.ts';
import { Pace, STEADY_MS, wait } from '../../wait.ts';
import type { Addr } from '../namer.ts';
import { type KubeObject, type Read, readList, versionOf } from './objects.ts';

/** The server ends a watch after so long. */
export const WATCH_SECS = 300;

const MARGIN_MS = 10_000;
const LIST_MS = 30_000;
const RETRY = { baseSeconds: 1, maxSeconds: 60 };
const MOST_BYTES = 64 * 2 ** 20;
const GONE = 410;
const WHAT = 'Kubernetes';

/** What is heard of them. */
export type Heard<T> =
  | { readonly t: 'objects'; readonly objects: readonly T[] }
  | Extract<Addr, { t: 'failed' }>;

/** What is asked. */
export interface ObjectsSetup<T> {
  /** Lists them; with a query. */
  readonly url: string;
  readonly http: Transport;
  readonly read: Read<T>;
}

/** One watch. */
interface Watch {
  /** ms of the scheduler when it was granted. */
  granted?: number;
  /** It told something, or lived long enough: its end says nothing about the next. */
  isGood: boolean;
  isOver: boolean;
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const failed = (cause: string): Extract<Addr, { t: 'failed' }> => ({ t: 'failed', cause });

class Following<T extends KubeObject> {
  readonly #setup: ObjectsSetup<T>;
  readonly #env: Env;
  readonly #pace: Pace;
  readonly #objects = new Map<string, T>();
  /** Where a watch goes on from; `undefined`: it must be listed first. */
  #version: string | undefined;
  /** No watch was good since the server forgot where one was. */
  #wasGone = false;
  #delayMs = 0;

  constructor(setup: ObjectsSetup<T>, env: Env) {
    this.#setup = setup;
    this.#env = env;
    this.#pace = new Pace(RETRY, env.random);
  }

  /** A list or a watch, again and again. */
  run(): Observable<Heard<T>> {
    const { scheduler } = this.#env;
    return defer(() => (this.#version === undefined ? this.#list() : this.#watch())).pipe(
      repeat({ delay: () => wait(this.#delayMs, scheduler) }),
    );
  }

  #list(): Observable<Heard<T>> {
    const { http, url } = this.#setup;
    const body = new ByteQueue();
    return exchange(http(url, 'poll'), { limitMs: LIST_MS, what: WHAT }, this.#env.scheduler).pipe(
      mergeMap((part) => this.#listed(body, part)),
      take(1),
      tap((heard) => {
        this.#delayMs = heard.t === 'failed' ? this.#pace.afterFailure() : 0;
      }),
    );
  }

  #listed(body: ByteQueue, part: Part): readonly Heard<T>[] {
    switch (part.t) {
      case 'bytes':
        body.push(part.bytes);
        return body.size > MOST_BYTES
          ? [failed(`${WHAT}: expected at most ${MOST_BYTES} bytes`)]
          : [];
      case 'ended':
        return [this.#adopt(body.take())];
      case 'failed':
        return [failed(part.cause)];
      case 'expired':
        return [failed(`${WHAT}: no list within ${LIST_MS} ms`)];
    }
  }

  #adopt(text: string): Heard<T> {
    const found = readList(parse(text), this.#setup.read);
    if (found === undefined)
      return failed(`${WHAT}: expected a list of objects, got ${excerpt(text)}`);
    this.#objects.clear();
    for (const object of found.objects) this.#objects.set(object.name, object);
    this.#version = found.version;
    return this.#told();
  }

  #watch(): Observable<Heard<T>> {
    const { http, url } = this.#setup;
    const { scheduler } = this.#env;
    const query = `&watch=true&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECS}`;
    const from = encodeURIComponent(this.#version ?? '');
    const lines = new LineQueue();
    const watch: Watch = { isGood: false, isOver: false };
    const head = (): void => {
      watch.granted = scheduler.now();
    };
    const options = { limitMs: WATCH_SECS * 1000 + MARGIN_MS, what: WHAT, head };
    const received$ = http(`${url}${query}&resourceVersion=${from}`, 'watch');
    return exchange(received$, options, scheduler).pipe(
      mergeMap((part): readonly (Heard<T> | undefined)[] =>
        part.t === 'bytes'
          ? lines.push(part.bytes).map((line) => this.#event(line, watch))
          : [this.#ended(part, watch)],
      ),
      tap(() => {
        if (lines.size > MOST_BYTES) watch.isOver = true;
      }),
      takeWhile(() => !watch.isOver, true),
      mergeMap((heard) => (heard === undefined ? [] : [heard])),
    );
  }

  #works(watch: Watch): void {
    watch.isGood = true;
    this.#wasGone = false;
    this.#pace.reset();
  }

  #livedMs({ granted }: Watch): number {
    const now = this.#env.scheduler.now();
    return now - (granted ?? now);
  }

  /** Ends a watch. */
  #end(watch: Watch): void {
    watch.isOver = true;
    if (this.#livedMs(watch) >= STEADY_MS) this.#works(watch);
  }

  /** A watch that ends by itself is opened again from where it was, and so is a good one that was cut: many a proxy does that. */
  #ended(part: Part, watch: Watch): Heard<T> | undefined {
    this.#end(watch);
    if (part.t === 'failed' && part.status === GONE) return this.#gone();
    if (part.t === 'failed' && !watch.isGood) return this.#failed(part.cause);
    this.#delayMs = this.#pace.afterStream(this.#livedMs(watch));
    return undefined;
  }

  /** Begun anew by a list, whose answer ends the doubt: a watch is silent while nothing changes, and may be refused for good. */
  #failed(cause: string): Heard<T> {
    this.#version = undefined;
    this.#delayMs = this.#pace.afterFailure();
    return failed(cause);
  }

  /**
   * The server has forgotten where the watch was: what is known holds until it is listed, at once. One that forgets what it
   * has just listed is not asked all the time.
   */
  #gone(): undefined {
    this.#version = undefined;
    this.#delayMs = this.#wasGone ? this.#pace.afterFailure() : 0;
    this.#wasGone = true;
    return undefined;
  }

  #event(line: string, watch: Watch): Heard<T> | undefined {
    const event = parse(line);
    const { type, object } =
      typeof event === 'object' && event !== null
        ? (event as { readonly type?: unknown; readonly object?: unknown })
        : {};
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        this.#works(watch);
        return this.#changed(type, object);
      case 'BOOKMARK':
        this.#works(watch);
        this.#version = versionOf(object) || this.#version;
        return undefined;
      default:
        this.#end(watch);
        return this.#broken(line, object);
    }
  }

  #changed(type: string, json: unknown): Heard<T> | undefined {
    const object = this.#setup.read(json);
    if (object === undefined) return undefined;
    if (type === 'DELETED') this.#objects.delete(object.name);
    else this.#objects.set(object.name, object);
    this.#version = object.version || this.#version;
    return this.#told();
  }

  /** An error, or what is no event. */
  #broken(line: string, object: unknown): Heard<T> | undefined {
    const code =
      typeof object === 'object' && object !== null && 'code' in object ? object.code : 0;
    if (code === GONE) return this.#gone();
    return this.#failed(`${WHAT}: expected an event, got ${excerpt(line)}`);
  }

  #told(): Heard<T> {
    return { t: 'objects', objects: [...this.#objects.values()] };
  }
}

/**
 * Follows objects of one kind.
 *
 *   list     a--|           x410          a all of them
 *   watch       -b-c--x                   b, c one changed;  x its end, opened again from c
 *   told     a---b-c--                    410: listed again, and nothing is doubted meanwhile
 *
 * A watch that was good goes on likewise when it is cut. Whatever else fails is told, and all is listed again.
 * Errors: none. Ends: never. Bounds: 64 MiB for a list or an event.
 */
export const followObjects = <T extends KubeObject>(
  setup: ObjectsSetup<T>,
  env: Env,
): Observable<Heard<T>> => defer(() => new Following(setup, env).run());
