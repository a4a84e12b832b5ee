/** Identifiers and interpreters of plugins that break: what they break, and what is logged of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRight } from 'fp-ts/lib/Either.js';
import { concat, map, NEVER, of, throwError } from 'rxjs';
import { guardInterpreter } from '../src/interpreter/guard.ts';
import type { Interpreter, Resolution } from '../src/interpreter/interpreter.ts';
import type { Path } from '../src/path.ts';
import { loadModule } from '../src/plugins/load.ts';
import { makeIdentifier } from '../src/plugins/make.ts';
import type { Source } from '../src/source.ts';
import { marbles } from '../src/testing/marbles.ts';
import { writeIn } from './support/plugins.ts';
import { makeScope, temporaryFolder } from './support/process.ts';

const PLACE = 'routers[0].servers[0].identify[0]';

const SOURCE: Source = { ip: '10.0.0.1', port: 1, alpn: [], localPort: 443 };

const IDENTIFIERS: Readonly<Record<string, readonly [make: string, error: string]>> = {
  throws: ['() => () => { throw new Error("oh"); }', 'Error: oh'],
  'cannot be made': ['() => { throw new Error("oh"); }', 'Error: oh'],
  'gives a number': ['() => () => 5', 'expected a path such as /svc/web, got 5'],
  'gives no path': ['() => () => "web"', 'expected a path such as /svc/web, got "web"'],
  promises: ['() => async () => "/svc/web"', 'expected a path such as /svc/web, got an object'],
};

for (const [what, [make, error]] of Object.entries(IDENTIFIERS))
  test(`an identifier that ${what} has no word, and that is logged once in a while`, async (t) => {
    const module = await writeIn(
      await temporaryFolder(makeScope(t)),
      'p.mjs',
      `export default ({ kind, t }) => ({ api: 1, identifiers: { 'com.example.id': kind(t.type({}), ${make}) } });`,
    );
    assert.ok(isRight(loadModule(module)));
    marbles(({ env, logged }) => {
      const rule = {
        kind: 'custom',
        by: 'com.example.id',
        module,
        options: {},
        place: PLACE,
      } as const;
      const identify = makeIdentifier(rule, env);
      assert.deepEqual([identify(SOURCE), identify(SOURCE)], [undefined, undefined]);
      assert.deepEqual(logged, [
        `error an identifier broke identifier=com.example.id ${PLACE} error=${error}`,
      ]);
    });
  });

const PATH = '/svc/web' as Path;
const GOOD: Resolution = { t: 'bound', endpoints: [] };

const told = (resolve: () => ReturnType<Interpreter['resolve']>) => {
  let lines: readonly string[] = [];
  marbles((m) => {
    lines = m.logged;
    const { resolve: guarded } = guardInterpreter(() => ({ resolve }), m.env, 'r');
    m.expect(guarded(PATH).pipe(map(({ t }) => t)), '^ 1s !').toBe('f', { f: 'failed' });
  });
  return lines;
};

test('what an interpreter fails at is logged once for each episode', () => {
  const failed =
    'warn the look-up of a name failed, what is known is kept rt=r dst=/svc/web cause=';
  assert.deepEqual(
    told(() => throwError(() => new Error('oh'))),
    [`${failed}internal: oh`],
  );
  assert.deepEqual(
    told(() => {
      throw new Error('oh');
    }),
    [`${failed}internal: oh`],
  );
  assert.deepEqual(
    told(() => of({ t: 'failed', cause: 'the registry is away' })),
    [`${failed}the registry is away`],
  );
  marbles((m) => {
    let asked = 0;
    const resolve = () => (asked++ === 0 ? throwError(() => 'oh') : concat(of(GOOD), NEVER));
    const guarded = guardInterpreter(() => ({ resolve }), m.env, 'r');
    m.expect(guarded.resolve(PATH).pipe(map(({ t }) => t)), '^ 10s !').toBe('f 4999ms b', {
      f: 'failed',
      b: 'bound',
    });
    m.flush();
    assert.deepEqual(m.logged, [
      `${failed}internal: oh`,
      'info the look-up of a name works again rt=r dst=/svc/web',
    ]);
  });
});
