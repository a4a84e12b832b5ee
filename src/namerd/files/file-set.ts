/** A folder of texts by name, each with a version: followed while others edit it, and written whole. */
import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js';
import {
  concat,
  defer,
  distinctUntilChanged,
  exhaustMap,
  filter,
  finalize,
  from,
  ignoreElements,
  interval,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  ReplaySubject,
  Subject,
  share,
  tap,
} from 'rxjs';
import type { Env } from '../../env.ts';
import type { Outcome } from '../store.ts';
import type { Disk, Listed, Signature } from './disk.ts';
import { Lanes } from './lanes.ts';
import { fileOf, namespaceOf } from './names.ts';
import { type Kept, type Parse, Shelf } from './shelf.ts';
import { isSameVersion, readStamped, type Stamped, stamp } from './stamp.ts';

/** Between two looks. A change is taken when two looks find the same, so within two of them and a little. */
export const LOOK_MS = 400;
/** Most names; more are not made. */
export const MOST_NAMES = 1000;
/** Most bytes of a text. */
export const MOST_TEXT_BYTES = 1024 * 1024;
/** Most files that are read or written at one time. */
const MOST_AT_ONCE = 8;
/** Most reads and writes that wait. */
const MOST_WAITING = 4096;

/** When a text may be written: if there is none, whatever there is, or if its version is this one. */
export type Condition = 'absent' | 'always' | Uint8Array;

const failed = (cause: string): Outcome => ({ t: 'failed', cause });

const decide = (there: Stamped | undefined, when: Condition): Outcome => {
  if (when === 'always') return 'done';
  if (when === 'absent') return there === undefined ? 'done' : 'exists';
  if (there === undefined) return 'missing';
  return isSameVersion(there.version, when) ? 'done' : 'mismatch';
};

/** The texts of one folder. */
export class FileSet<T> {
  readonly #disk: Disk;
  readonly #parse: Parse<T>;
  readonly #env: Env;
  readonly #shelf: Shelf<T>;
  readonly #lanes = new Lanes(MOST_AT_ONCE);
  readonly #written$ = new Subject<void>();
  /** Changed files as the last look found them: those that are still the same at the next one are read. */
  #suspects: ReadonlyMap<string, Signature> = new Map();
  #isPrepared = false;
  /** All files were read, and are looked at since. */
  #isLoaded = false;

  /**
   * What all texts mean, by their names: once all were read, and after each change. One that makes no sense, or cannot
   * be read, is as it was before, and the log is told once. The folder is looked at while somebody listens.
   * Errors: none; while the folder cannot be listed nothing changes. Ends: never.
   */
  readonly values$: Observable<ReadonlyMap<string, Kept<T>>>;

  constructor(disk: Disk, parse: Parse<T>, env: Env) {
    this.#disk = disk;
    this.#parse = parse;
    this.#env = env;
    this.#shelf = new Shelf(parse, env.log);
    this.values$ = this.#follow();
  }

  /**
   * Writes a text with the next version, if the condition holds for what is on the disk now.
   * Order: in each name as subscribed. Once begun it is done to its end. Ends: after one outcome.
   */
  write(name: string, text: string, when: Condition): Observable<Outcome> {
    const bytes = Buffer.byteLength(text);
    if (bytes > MOST_TEXT_BYTES)
      return of(failed(`expected at most ${MOST_TEXT_BYTES} bytes of text, got ${bytes}`));
    const parsed = this.#parse(text);
    if (isLeft(parsed)) return of(failed(parsed.left));
    return this.#change(name, (file, there) => {
      const outcome = decide(there, when);
      if (outcome !== 'done') return of(outcome);
      const content = stamp(text, (there?.count ?? 0) + 1);
      return this.#room(there).pipe(
        mergeMap((room) => (isLeft(room) ? of(room) : this.#disk.write(file, content))),
        map((done) => {
          if (isLeft(done)) return failed(done.left);
          this.#shelf.adopt(name, { content, signature: done.right });
          return outcome;
        }),
      );
    });
  }

  /** Removes a text. Order and end as of `write`. */
  remove(name: string): Observable<Outcome> {
    return this.#change(name, (file, there) =>
      there === undefined
        ? of('missing')
        : this.#disk.remove(file).pipe(
            map((done) => {
              if (isLeft(done)) return failed(done.left);
              this.#shelf.adopt(name, undefined);
              return 'done';
            }),
          ),
    );
  }

  #change(
    name: string,
    change: (file: string, there: Stamped | undefined) => Observable<Outcome>,
  ): Observable<Outcome> {
    const file = fileOf(name);
    if (isLeft(file)) return of(failed(file.left));
    const work$ = defer(() => this.#disk.read(file.right)).pipe(
      mergeMap((found) =>
        isLeft(found)
          ? of(failed(found.left))
          : change(file.right, found.right && readStamped(found.right.content)),
      ),
      tap(() => this.#written$.next()),
    );
    return this.#ready().pipe(
      mergeMap((ready) => {
        if (isLeft(ready)) return of(failed(ready.left));
        return this.#lanes.users >= MOST_WAITING
          ? of(failed(`expected at most ${MOST_WAITING} writes at one time; try again later`))
          : this.#lanes.run(name, work$);
      }),
    );
  }

  /** Whether there is room for one more; one that is there needs none. */
  #room(there: Stamped | undefined): Observable<Either<string, void>> {
    if (there !== undefined) return of(right(undefined));
    return this.#disk.list().pipe(
      map((listed) => {
        if (isLeft(listed)) return listed;
        return listed.right.length < MOST_NAMES
          ? right(undefined)
          : left(`expected at most ${MOST_NAMES} namespaces; remove one to make another`);
      }),
    );
  }

  /** Prepares the folder, until that has succeeded once: it removes drafts, and so must not run beside a write. */
  #ready(): Observable<Either<string, void>> {
    return defer(() =>
      this.#isPrepared ? of(right<string, void>(undefined)) : this.#lanes.run('', this.#prepare()),
    );
  }

  #prepare(): Observable<Either<string, void>> {
    return defer(() =>
      this.#isPrepared ? of(right<string, void>(undefined)) : this.#disk.prepare(),
    ).pipe(
      tap((done) => {
        this.#isPrepared ||= isRight(done);
      }),
    );
  }

  #follow(): Observable<ReadonlyMap<string, Kept<T>>> {
    const looks$ = defer(() => {
      const look$ = this.#look();
      return concat(look$, interval(LOOK_MS, this.#env.scheduler).pipe(exhaustMap(() => look$)));
    });
    return merge(this.#written$, looks$).pipe(
      filter(() => this.#isLoaded),
      map(() => this.#shelf.values),
      distinctUntilChanged(),
      finalize(() => {
        this.#isLoaded = false;
      }),
      share({ connector: () => new ReplaySubject(1) }),
    );
  }

  /** Tells when it is over. */
  #look(): Observable<void> {
    return this.#ready().pipe(
      mergeMap((ready) => (isLeft(ready) ? of(ready) : this.#disk.list())),
      mergeMap((listed) => {
        this.#shelf.complain('', isLeft(listed) ? listed.left : undefined);
        if (isLeft(listed)) return of(undefined);
        const reads$ = from(this.#changed(listed.right)).pipe(mergeMap((name) => this.#read(name)));
        const end$ = defer(() => {
          this.#isLoaded = true;
          return of(undefined);
        });
        return concat(reads$.pipe(ignoreElements()), end$);
      }),
    );
  }

  /**
   * Names of files that are to be read. What has changed since the last look may be half-written, or gone for the moment
   * of a rename: it waits until two looks find the same. The first look takes what there is.
   */
  #changed(listed: readonly Listed[]): readonly string[] {
    const found = new Map<string, Signature>([...this.#shelf.names].map((name) => [name, '']));
    for (const { file, signature } of listed) {
      const name = namespaceOf(file);
      if (name === undefined) this.#shelf.complain(file, 'its name is no namespace; rename it');
      else found.set(name, signature);
    }
    const suspects = [...found].filter(([name, is]) => this.#shelf.signatureOf(name) !== is);
    const before = this.#suspects;
    this.#suspects = new Map(suspects);
    return suspects
      .filter(([name, is]) => !this.#isLoaded || before.get(name) === is)
      .map(([name]) => name);
  }

  #read(name: string): Observable<unknown> {
    const file = fileOf(name);
    if (isLeft(file)) return of(file);
    const read$ = defer(() => this.#disk.read(file.right)).pipe(
      tap((found) => {
        if (isLeft(found)) this.#shelf.complain(name, found.left);
        else this.#shelf.adopt(name, found.right);
      }),
    );
    return this.#lanes.run(name, read$);
  }
}
