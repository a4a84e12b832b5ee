/**
 * The stage of the marble tests of namerd: the wire and what is told of it, one letter each.
 *
 * On the wire:  h head of a 200 · r head of a 500 · a b bound to A, B · n neg · p pending · t a line of text
 *               g a long one · d bound to A and to an address that cannot be dialed · x the connection broke
 *               | end of the body
 * As told:      A B bound · N neg · P pending · F failed
 *
 * Chance draws 0: a delay is half of what it is at most (0.5 s after a good stream; 2.5 s, 5 s, 10 s … after
 * others), a period and the age of a stream are whole.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRight } from 'fp-ts/lib/Either.js';
import { filter, map, NEVER, type Observable } from 'rxjs';
import type { NamerdHttpConfig } from '../../src/config/config.ts';
import type { ResolverEvent } from '../../src/event.ts';
import type { Resolution } from '../../src/interpreter/interpreter.ts';
import { makeInterpreter } from '../../src/interpreter/make.ts';
import type { Received, Transport } from '../../src/interpreter/transport.ts';
import { type Path, parsePath } from '../../src/path.ts';
import { type Marbles, marbles } from '../../src/testing/marbles.ts';

/** The configuration of these tests, where they change nothing. */
export const CONFIG: NamerdHttpConfig = {
  kind: 'io.l5d.namerd.http',
  baseUrl: 'http://namerd:4180',
  namespace: 'default',
  periodSecs: 60,
  watch: true,
  weightedUnions: false,
  maxWatches: 10,
  retry: { baseSeconds: 5, maxSeconds: 600 },
};

const chunk = (line: string): Received => ({
  t: 'chunk',
  bytes: new TextEncoder().encode(`${line}\n`),
});

const boundTo = (...ips: readonly string[]): Received =>
  chunk(JSON.stringify({ type: 'bound', addrs: ips.map((ip) => ({ ip, port: 80 })) }));

const WIRE: Readonly<Record<string, Received>> = {
  h: { t: 'head', status: 200 },
  r: { t: 'head', status: 500 },
  a: boundTo('10.0.0.1'),
  b: boundTo('10.0.0.2'),
  d: boundTo('10.0.0.1', 'host.example'),
  n: chunk('{"type":"neg"}'),
  p: chunk('{"type":"pending"}'),
  t: chunk('com.example.Oops: error'),
  g: chunk('oh '.repeat(1000)),
  x: { t: 'broken', cause: 'connection reset' },
};

const letter = (resolution: Resolution): string => {
  if (resolution.t !== 'bound') return resolution.t.slice(0, 1).toUpperCase();
  return resolution.endpoints[0]?.address.ip === '10.0.0.1' ? 'A' : 'B';
};

const path = (text: string): Path => {
  const parsed = parsePath(text);
  assert.ok(isRight(parsed));
  return parsed.right;
};

/** A stub of the wire: what a request gets, from the moment it is sent. */
export const wire = (m: Marbles, diagram: string) => m.cold(diagram, WIRE);

type Stub = ReturnType<typeof wire>;

/** What a name's requests get, one after the other; silence when there is no more. */
interface Stubs {
  readonly watch?: readonly Stub[];
  readonly poll?: readonly Stub[];
}

interface Options extends Partial<NamerdHttpConfig> {
  readonly report?: (event: ResolverEvent) => void;
}

const replay = (names: Readonly<Record<string, Stubs>>): Transport => {
  const asked = new Map<string, number>();
  return (url, kind) => {
    const name = new URL(url).searchParams.get('path') ?? '';
    const nth = asked.get(`${kind} ${name}`) ?? 0;
    asked.set(`${kind} ${name}`, nth + 1);
    return names[name]?.[kind]?.[nth] ?? NEVER;
  };
};

/** What an interpreter tells of its names, in letters. */
export const teller = (
  m: Marbles,
  names: Readonly<Record<string, Stubs>>,
  { report = () => undefined, ...config }: Options = {},
) => {
  const context = { rt: 'test', report, http: replay(names) };
  const interpreter = makeInterpreter({ ...CONFIG, ...config }, context, m.env);
  return (name: string): Observable<string> =>
    interpreter.resolve(path(name)).pipe(
      filter(({ t }) => t !== 'confirmed'),
      map(letter),
    );
};

/** What is told of one name, in letters. */
export const follow = (m: Marbles, stubs: Stubs, options: Options = {}): Observable<string> =>
  teller(m, { '/svc/web': stubs }, options)('/svc/web');

/** A test in virtual time in which chance always draws 0. */
export const told = (title: string, body: (m: Marbles) => void): void => {
  test(title, () => marbles(body, { random: 0 }));
};
