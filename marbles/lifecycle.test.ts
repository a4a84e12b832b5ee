/**
 * Reloads, draining and the end, from requests to the exit code.
 *
 *   requests   r reload   s shutdown   x abort
 *   configs    1 2 3 the configs that take effect     B a bad file     P a port that is taken
 *   exit       0 stopped as asked     1 stopped at once
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { concat, ignoreElements, type Observable, of, Subject, takeUntil, tap } from 'rxjs';
import type { Config } from '../src/config/config.ts';
import { live, type Request } from '../src/lifecycle.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';

const config = (label: string): Config => ({
  admin: { ip: '127.0.0.1', port: 9989, graceSecs: 10, hosts: [], maxNameSeries: 500 },
  log: { level: 'info', format: 'text' },
  workers: 0,
  bufferSizeBytes: 1_048_576,
  maxBufferedBytes: 1,
  routers: [
    {
      label,
      place: 'routers[0]',
      interpreter: { kind: 'static', names: new Map() },
      operators: [],
      servers: [],
      client: [],
      bindingCache: { paths: 1, idleTtlSecs: 1 },
    },
  ],
});

const labelOf = ({ routers }: Config): string => routers[0]?.label ?? '';

/** A daemon whose file holds `files` one after the other, and whose streams end when `streams` does. */
const daemon = (m: Marbles, files: string, streams: Observable<unknown>) => {
  const answers: string[] = [];
  const told: string[] = [];
  const configs$ = new Subject<string>();
  const cut$ = new Subject<void>();
  const left$ = [...files];
  const answer = (result: Either<readonly string[], void>): void => {
    answers.push(result._tag === 'Left' ? result.left.join() : 'ok');
  };
  const requests: Record<string, Request> = {
    r: { t: 'reload', what: 'config', answer },
    s: { t: 'shutdown' },
    x: { t: 'abort' },
  };
  const load = (): Either<readonly string[], Config> => {
    const file = left$.shift() ?? '';
    return file === 'B' ? left(['bad file']) : right(config(file));
  };
  const lifecycle = (request$: Observable<Request>) =>
    live(
      {
        first: config('1'),
        request$,
        load,
        prepare: (next) =>
          of(labelOf(next) === 'P' ? left(['port taken']) : right({ commit: () => undefined })),
        stopping: () => told.push('stopping'),
        cut: () => {
          told.push('cut');
          cut$.next();
        },
        run: (config$) =>
          concat(
            config$.pipe(
              tap((next) => configs$.next(labelOf(next))),
              tap({ complete: () => configs$.complete() }),
            ),
            streams.pipe(takeUntil(cut$)),
          ).pipe(ignoreElements()),
      },
      m.env,
    );
  const exit$ = (diagram: string): Observable<number> => lifecycle(m.hot(diagram, requests));
  return { exit$, configs$, answers, told };
};

const exits = { 0: 0, 1: 1 };

test('a reload puts the next config into effect, and the exit waits for a shutdown', () =>
  marbles((m) => {
    const streams = m.cold('        |   ');
    const { exit$, configs$ } = daemon(m, '23', streams);
    const requests = '        --r---r---s---';
    const configs = '         1-2---3---|   ';
    const exit = '            ----------(0|)';
    m.expect(configs$).toBe(configs);
    m.expect(exit$(requests)).toBe(exit, exits);
  }));

test('a bad file and a taken port change nothing, and say why', () =>
  marbles((m) => {
    const { exit$, configs$, answers } = daemon(m, 'BP2', m.cold('|'));
    const requests = '        --r---r---r---s---';
    const configs = '         1---------2---|   ';
    const exit = '            --------------(0|)';
    m.expect(configs$).toBe(configs);
    m.expect(exit$(requests)).toBe(exit, exits);
    m.flush();
    assert.deepEqual(answers, ['bad file', 'port taken', 'ok']);
  }));

test('a shutdown ends the configs and waits for the last stream', () =>
  marbles((m) => {
    const streams = m.cold('            ---|      ');
    const { exit$, configs$, told } = daemon(m, '', streams);
    const requests = '        --s---------';
    const configs = '         1-|         ';
    const exit = '            -----(0|)   ';
    m.expect(configs$).toBe(configs);
    m.expect(exit$(requests)).toBe(exit, exits);
    m.flush();
    assert.deepEqual(told, ['stopping']);
  }));

test('what still streams when the grace is over is cut, and that is an orderly end', () =>
  marbles((m) => {
    const { exit$, told } = daemon(m, '', m.cold('-'));
    const requests = '       --s---';
    const exit = '           -- 10s (0|)';
    m.expect(exit$(requests)).toBe(exit, exits);
    m.flush();
    assert.deepEqual(told, ['stopping', 'cut']);
  }));

test('a second shutdown ends at once', () =>
  marbles((m) => {
    const { exit$, told } = daemon(m, '', m.cold('-'));
    const requests = '       --s---s---';
    const exit = '           ------(1|)';
    m.expect(exit$(requests)).toBe(exit, exits);
    m.flush();
    assert.deepEqual(told, ['stopping']);
  }));

test('an abort ends at once, also while draining', () =>
  marbles((m) => {
    const { exit$ } = daemon(m, '', m.cold('-'));
    m.expect(exit$('--s-x---')).toBe('----(1|)', exits);
    m.expect(daemon(m, '', m.cold('-')).exit$('--x')).toBe('--(1|)', exits);
  }));

test('a reload that is asked for after a shutdown changes nothing', () =>
  marbles((m) => {
    const { exit$, configs$ } = daemon(m, '2', m.cold('-----|'));
    const requests = '        --s-r--';
    const configs = '         1-|    ';
    const exit = '            -------(0|)';
    m.expect(configs$).toBe(configs);
    m.expect(exit$(requests)).toBe(exit, exits);
  }));
