/**
 * How long the served API lets a request wait for a store, a namer or a folder that says nothing.
 *
 * As told: the status of the reply.
 */
import { test } from 'node:test';
import { map, NEVER } from 'rxjs';
import { ANSWER_MS, makeHandle } from '../src/namerd/handle.ts';
import { DELEGATE_MS } from '../src/namerd/names.ts';
import type { Request } from '../src/namerd/reply.ts';
import { marbles } from '../src/testing/marbles.ts';

const silent$ = () => NEVER;
const store = {
  list$: NEVER,
  watch: silent$,
  create: silent$,
  put: silent$,
  update: silent$,
  delete: silent$,
};
const naming = { bind: silent$, addr: silent$, delegate: silent$ };

const late = (target: string, diagram: string, values: object, method: Request['method'] = 'GET') =>
  test(`${method} ${target}`, () =>
    marbles((m) => {
      const [path = '', query = ''] = target.split('?');
      const handle = makeHandle({ naming, store, bound$: NEVER }, m.env);
      const headers = { 'content-type': 'text/plain' };
      const reply$ = handle({ method, path: `/api/1/${path}`, query, headers, body: '' });
      m.expect(reply$.pipe(map(({ status }) => status))).toBe(diagram, values);
    }));

const afterAMinute = [`${ANSWER_MS}ms (l|)`, { l: 504 }] as const;
for (const target of ['dtabs', 'dtabs/a', 'bound-names', 'bind/a?path=/b', 'addr/a?path=/b'])
  late(target, ...afterAMinute);
for (const method of ['HEAD', 'PUT', 'POST', 'DELETE']) late('dtabs/a', ...afterAMinute, method);
late('delegate/a?path=/b', `${DELEGATE_MS}ms (l|)`, { l: 503 });

/** A watch is answered at once, and silent. */
for (const target of ['dtabs?watch=1', 'dtabs/a?watch=1', 'bound-names?watch=1'])
  late(target, '(w|)', { w: 200 });
