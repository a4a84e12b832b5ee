/**
 * Slices that are listed and watched, in virtual time. On the wire:
 *   h head of a 200 · l a list with slice A, version 5 · a b slice A added, changed (6, 7) · d it is gone (8)
 *   k a bookmark (9) · g 410 within a watch · e 410 as a reply · r another refusal · x the connection broke · | the end
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { map, NEVER } from 'rxjs';
import { followObjects, WATCH_SECS } from '../src/interpreter/namers/k8s/follow-objects.ts';
import { readSlice } from '../src/interpreter/namers/k8s/slices.ts';
import type { Received, Transport } from '../src/interpreter/transport.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';

const chunk = (json: object): Received => ({
  t: 'chunk',
  bytes: new TextEncoder().encode(`${JSON.stringify(json)}\n`),
});

const slice = (port: number, version: number) => ({
  metadata: { name: 'A', resourceVersion: String(version) },
  ports: [{ port }],
  endpoints: [],
});

const WIRE: Readonly<Record<string, Received>> = {
  h: { t: 'head', status: 200 },
  l: chunk({ metadata: { resourceVersion: '5' }, items: [slice(1, 5)] }),
  a: chunk({ type: 'MODIFIED', object: slice(2, 6) }),
  b: chunk({ type: 'MODIFIED', object: slice(3, 7) }),
  d: chunk({ type: 'DELETED', object: slice(3, 8) }),
  k: chunk({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } }),
  g: chunk({ type: 'ERROR', object: { code: 410 } }),
  e: { t: 'head', status: 410 },
  r: { t: 'head', status: 403 },
  x: { t: 'broken', cause: 'reset' },
};

const follow = (m: Marbles, script: readonly string[]) => {
  const asked: string[] = [];
  const http: Transport = (url) => {
    const text = script[asked.length];
    const version = /resourceVersion=(\d*)/.exec(url)?.[1];
    asked.push(version === undefined ? 'list' : `watch ${version}`);
    return text === undefined ? NEVER : m.cold(text, WIRE);
  };
  const told$ = followObjects({ url: 'http://kube/slices?', http, read: readSlice }, m.env).pipe(
    map((heard) =>
      heard.t === 'failed'
        ? heard.cause
        : heard.objects.flatMap(({ ports }) => ports.map(({ port }) => port)).join() || 'none',
    ),
  );
  return { told$, asked };
};

interface Case {
  readonly script: readonly string[];
  readonly told: string;
  readonly asked: readonly string[];
}

const BOOK: Readonly<Record<string, Case>> = {
  'a list, and then what changes': {
    script: ['(hl|)', 'h-a-b-d'],
    told: '1-2-3-n',
    asked: ['list', 'watch 5'],
  },
  'a watch that ends goes on behind its last event': {
    script: ['(hl|)', 'h-a|', 'h-b'],
    told: '1-2 500ms --3',
    asked: ['list', 'watch 5', 'watch 6'],
  },
  'or behind the last bookmark': {
    script: ['(hl|)', 'h-k|', 'h-b'],
    told: '1-- 500ms --3',
    asked: ['list', 'watch 5', 'watch 9'],
  },
  'what the server has forgotten is listed anew at once': {
    script: ['(hl|)', 'h-g', '(hl|)', 'h-b'],
    told: '1-1-3',
    asked: ['list', 'watch 5', 'list', 'watch 5'],
  },
  'in whatever way it says so, and again after each event': {
    script: ['(hl|)', '(e|)', '(hl|)', 'h------b-g', '(hl|)'],
    told: '(11)---3-1',
    asked: ['list', 'watch 5', 'list', 'watch 5', 'list', 'watch 5'],
  },
  'one that forgets at once what it has listed is asked less and less often': {
    script: ['(hl|)', '(e|)', '(hl|)', 'h-g', '(hl|)', '(e|)', '(hl|)', '(e|)', '(hl|)'],
    told: '(11) 498ms 1 999ms 1 1999ms 1',
    asked: [...Array.from({ length: 4 }, () => ['list', 'watch 5']).flat(), 'list', 'watch 5'],
  },
  'so does one that is cut after an event': {
    script: ['(hl|)', 'h-a-x', 'h-k-x', 'h-b'],
    told: '1-2 1007ms 3',
    asked: ['list', 'watch 5', 'watch 6', 'watch 9'],
  },
  'a watch that is cut before it told anything has failed, and all is listed anew': {
    script: ['(hl|)', 'h---x', '(hl|)', 'h-b'],
    told: '1---f 499ms 1-3',
    asked: ['list', 'watch 5', 'list', 'watch 5'],
  },
  'so is one that is refused, for whatever reason': {
    script: ['(hl|)', '(r|)', '(hl|)', 'h-b'],
    told: '(1r) 496ms 1-3',
    asked: ['list', 'watch 5', 'list', 'watch 5'],
  },
  'lists that fail are asked for less and less often': {
    script: ['(x|)', '(x|)', '(x|)', '(hl|)'],
    told: 'f 499ms f 999ms f 1999ms 1',
    asked: ['list', 'list', 'list', 'list', 'watch 5'],
  },
};

const SAID = { 1: '1', 2: '2', 3: '3', n: 'none', f: 'reset', r: 'Kubernetes: status 403' };

for (const [what, { script, told, asked }] of Object.entries(BOOK))
  test(what, () =>
    marbles(
      (m) => {
        const { told$, asked: found } = follow(m, script);
        m.expect(told$, '^ 4s !').toBe(told, SAID);
        m.flush();
        assert.deepEqual(found, asked);
      },
      { random: 0 },
    ),
  );

test('watches that something on the way ends after a minute follow each other closely, and nothing is doubted', () =>
  marbles(
    (m) => {
      const minute = 'h 60s x';
      const { told$, asked } = follow(m, ['(hl|)', minute, minute, minute, minute, 'h-b']);
      m.expect(told$, '^ 250s !').toBe('1 242005ms 3', SAID);
      m.flush();
      assert.deepEqual(asked, ['list', ...Array.from({ length: 5 }, () => 'watch 5')]);
    },
    { random: 0 },
  ));

test('a watch without an end is opened again when its time is long over', () =>
  marbles(
    (m) => {
      const { told$, asked } = follow(m, ['(hl|)', 'h']);
      m.expect(told$, `^ ${WATCH_SECS + 12}s !`).toBe('1', { 1: '1' });
      m.flush();
      assert.deepEqual(asked, ['list', 'watch 5', 'watch 5']);
    },
    { random: 0 },
  ));
