/** The time limits of a stream, and the timers below them: each fires once, never early, whatever moves meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Observable, type SchedulerLike } from 'rxjs';
import { showClose } from '../src/close-reason.ts';
import { Deadlines } from '../src/duplex/deadlines.ts';
import type { StreamLimits } from '../src/duplex/stream.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { LONGEST_MS, makeTimers, type Timers } from '../src/timers.ts';

/** One meaning for each letter: `m` a byte moved, `h` one side ended. */
const values = {
  i: 'idle-timeout 8ms here',
  I: 'idle-timeout 600000ms here',
  l: 'lifetime 20ms here',
  L: 'lifetime 3600000ms here',
  c: 'half-close-timeout 5ms here',
};

const UNLIMITED: StreamLimits = {
  idleTimeoutMs: Number.POSITIVE_INFINITY,
  lifetimeMs: Number.POSITIVE_INFINITY,
  halfCloseTimeoutMs: Number.POSITIVE_INFINITY,
  resetLingerMs: 100,
  bufferSizeBytes: 1,
  place: 'here',
};

interface Told {
  readonly close$: Observable<string>;
  readonly timers: Timers;
}

/** A stream that does what the diagram says, and the close that its limits tell. */
const limited = (m: Marbles, events: string, limits: Partial<StreamLimits>): Told => {
  const timers = makeTimers(m.env.scheduler);
  const event$ = m.hot(events);
  const close$ = new Observable<string>((out) => {
    let movedAt = Number.NEGATIVE_INFINITY;
    const deadlines = new Deadlines({
      limits: { ...UNLIMITED, ...limits },
      timers,
      openedAt: timers.now(),
      lastMovedAt: () => movedAt,
      expired: (close) => {
        out.next(showClose(close));
        out.complete();
      },
    });
    out.add(
      event$.subscribe((event) => {
        if (event === 'h') deadlines.halfClosed();
        else movedAt = timers.now();
      }),
    );
    out.add(() => deadlines.stop());
  });
  return { close$, timers };
};

test('closes a stream on which nothing ever moved', () =>
  marbles((m) => {
    const happens = ' -';
    const expected = '--------(i|)';
    m.expect(limited(m, happens, { idleTimeoutMs: 8 }).close$).toBe(expected, values);
  }));

test('counts the idle limit from the last byte, not from when its timer looks', () =>
  marbles((m) => {
    const happens = ' -m--m-------';
    const expected = '------------(i|)';
    m.expect(limited(m, happens, { idleTimeoutMs: 8 }).close$).toBe(expected, values);
  }));

test('leaves a stream alone that moves a byte in time, each time', () =>
  marbles((m) => {
    const happens = ' -------m------m------m------m--';
    const expected = '--------------------------------';
    const stopped = ' -------------------------------!';
    m.expect(limited(m, happens, { idleTimeoutMs: 8 }).close$, stopped).toBe(expected);
  }));

test('holds an idle limit of minutes to the millisecond', () =>
  marbles((m) => {
    const happens = ' 599999ms m';
    const expected = '1199999ms (I|)';
    m.expect(limited(m, happens, { idleTimeoutMs: 600_000 }).close$).toBe(expected, values);
  }));

test('ends a stream at its lifetime, however busy it is', () =>
  marbles((m) => {
    const happens = ' -mmmmmmmmmmmmmmmmmmmmmmmm';
    const expected = '--------------------(l|)';
    const limits = { idleTimeoutMs: 8, lifetimeMs: 20 };
    m.expect(limited(m, happens, limits).close$).toBe(expected, values);
  }));

test('tells the limit that expires first', () =>
  marbles((m) => {
    const happens = ' -----------m-';
    const idle = '    --------(i|)';
    const life = '    --------------------(l|)';
    m.expect(limited(m, happens, { idleTimeoutMs: 8, lifetimeMs: 20 }).close$).toBe(idle, values);
    m.expect(limited(m, happens, { lifetimeMs: 20 }).close$).toBe(life, values);
  }));

test('limits the silence of one side once the other has ended', () =>
  marbles((m) => {
    const happens = ' --h---m----m';
    const expected = '----------------(c|)';
    m.expect(limited(m, happens, { halfCloseTimeoutMs: 5 }).close$).toBe(expected, values);
  }));

test('counts a half-close from the end, however long nothing had moved before', () =>
  marbles((m) => {
    const happens = ' m------------h';
    const expected = '------------------(c|)';
    m.expect(limited(m, happens, { halfCloseTimeoutMs: 5 }).close$).toBe(expected, values);
  }));

test('lets no half-close limit fire while both sides are open', () =>
  marbles((m) => {
    const happens = ' -----------------';
    const expected = '-----------------';
    const stopped = ' ----------------!';
    m.expect(limited(m, happens, { halfCloseTimeoutMs: 5 }).close$, stopped).toBe(expected);
  }));

test('keeps the idle limit after a half-close, if it is the shorter', () =>
  marbles((m) => {
    const happens = ' -----h-';
    const expected = '--------(i|)';
    const limits = { idleTimeoutMs: 8, halfCloseTimeoutMs: 50 };
    m.expect(limited(m, happens, limits).close$).toBe(expected, values);
  }));

test('keeps one timer for all limits, and none once it is stopped', () =>
  marbles((m) => {
    const happens = ' -m-h-----';
    const expected = '----------';
    const stopped = ' ---------!';
    const limits = { idleTimeoutMs: 60, lifetimeMs: 60, halfCloseTimeoutMs: 50 };
    const { close$, timers } = limited(m, happens, limits);
    const counted: number[] = [];
    m.hot(' --a--a-----a').subscribe(() => counted.push(timers.size()));
    m.expect(close$, stopped).toBe(expected);
    m.flush();
    assert.deepEqual(counted, [1, 1, 0]);
  }));

test('sets no timer for a stream without limits', () =>
  marbles((m) => {
    const happens = ' --m--';
    const expected = '------';
    const stopped = ' -----!';
    const { close$, timers } = limited(m, happens, {});
    m.hot('---a').subscribe(() => assert.equal(timers.size(), 0));
    m.expect(close$, stopped).toBe(expected);
  }));

/** What some timers tell, each its own letter. */
const told = (scheduler: SchedulerLike, waits: Readonly<Record<string, number>>) =>
  new Observable<string>((out) => {
    const timers = makeTimers(scheduler);
    for (const [letter, ms] of Object.entries(waits)) timers.after(ms, () => out.next(letter));
  });

test('timers tell deadlines as they fall due, in whatever order they were set', () =>
  marbles((m) => {
    const expected = '-a--b---c';
    const stopped = ' ----------!';
    m.expect(told(m.env.scheduler, { c: 8, a: 1, b: 4 }), stopped).toBe(expected);
  }));

test('timers tell all that fall due at one time, and each once', () =>
  marbles((m) => {
    const seen: string[] = [];
    told(m.env.scheduler, { a: 3, b: 3, c: 3 }).subscribe((letter) => seen.push(letter));
    m.hot('--a').subscribe(() => assert.deepEqual(seen, []));
    m.hot('----a').subscribe(() => assert.deepEqual(seen.sort(), ['a', 'b', 'c']));
    m.hot('---------a').subscribe(() => assert.equal(seen.length, 3));
  }));

test('timers never tell a deadline at once, not even one that is past', () =>
  marbles((m) => {
    const expected = '(ab)';
    const stopped = ' -----!';
    let synchronous = true;
    const timers = makeTimers(m.env.scheduler);
    timers.after(0, () => assert.equal(synchronous, false));
    synchronous = false;
    m.expect(told(m.env.scheduler, { a: 0, b: -5 }), stopped).toBe(expected);
  }));

test('timers never tell a deadline of Infinity or NaN', () =>
  marbles((m) => {
    const expected = '--a-------';
    const stopped = ' ---------!';
    const waits = { i: Number.POSITIVE_INFINITY, n: Number.NaN, a: 2 };
    m.expect(told(m.env.scheduler, waits), stopped).toBe(expected);
    const timers = makeTimers(m.env.scheduler);
    timers.after(Number.POSITIVE_INFINITY, assert.fail).drop();
    assert.equal(timers.size(), 0);
  }));

test('timers wait for weeks in pieces that the platform can wait', (t) =>
  marbles((m) => {
    const expected = '57600m a';
    const stopped = ' 57601m !';
    const wait = 57_600 * 60_000;
    const { mock } = t.mock.method(m.env.scheduler, 'schedule');
    m.expect(told(m.env.scheduler, { a: wait }), stopped).toBe(expected);
    m.flush();
    const waits = mock.calls.map(({ arguments: [, delay = 0] }) => delay);
    assert.deepEqual(
      waits.filter((delay) => delay > 0 && delay <= wait),
      [LONGEST_MS, wait - LONGEST_MS],
    );
  }));

test('a timer that is dropped never tells', () =>
  marbles((m) => {
    const timers = makeTimers(m.env.scheduler);
    const timer = timers.after(5, assert.fail);
    m.hot('--a').subscribe(() => {
      timer.drop();
      timer.drop();
      assert.equal(timers.size(), 0);
    });
  }));
