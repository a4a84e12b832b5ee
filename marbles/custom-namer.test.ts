/** A namer of the user’s own, by what the library shows: a function that says what it knows, and when that changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRight } from 'fp-ts/lib/Either.js';
import { map, of } from 'rxjs';
import {
  type Addr,
  leaf,
  makeAddress,
  makeDtabInterpreter,
  makeDtabNaming,
  makeNamers,
  makeRegistry,
  type Namer,
  type Path,
  parseDtab,
  type Resolution,
} from '../src/index.ts';
import { marbles } from '../src/testing/marbles.ts';

const PREFIX = '/#/com.example.shard' as Path;

const DTAB = parseDtab(
  '/svc => /#/com.example.shard; /svc/both => /svc/1 & /svc/2; /svc/else => /svc/9 | /$/inet/10.9.9.9/80;',
);

const show = (said: Resolution): string =>
  said.t === 'bound' ? said.endpoints.map(({ address }) => address.text).join(' ') : said.t;

test('a namer of the user’s own takes part in dtabs, unions and alternatives as those that come along', () =>
  marbles((m) => {
    /** `/7` is shard 7, whose host moves after a second; there are nine at most. */
    const shards: Namer = (path) => {
      const shard = Number(path.slice(1));
      if (!(shard < 9)) return of({ t: 'ok', tree: { t: 'neg' } });
      const addr$ = m.cold('a 999ms b').pipe(
        map((host): Addr => {
          const address = makeAddress(`10.0.${host === 'a' ? 0 : 1}.${shard}`, 80);
          return { t: 'bound', endpoints: [{ address, weight: 1 }] };
        }),
      );
      const id = `${PREFIX}${path}` as Path;
      return of({ t: 'ok', tree: leaf({ id, residual: '/' as Path, addr$ }) });
    };
    const registry = makeRegistry([{ prefix: PREFIX, namer: shards }]);
    const known = makeNamers([], m.env);
    const namer: Namer = (path) => (path.startsWith('/$') ? known(path) : registry(path));
    assert.ok(isRight(DTAB));
    const naming = makeDtabNaming(namer, m.env);
    const { resolve } = makeDtabInterpreter(naming, of(DTAB.right), m.env);
    const follow = (name: string) => resolve(name as Path).pipe(map(show));
    const said = { p: 'pending', a: '10.0.0.1:80 10.0.0.2:80', b: '10.0.1.1:80 10.0.1.2:80' };
    m.expect(follow('/svc/both'), '2s !').toBe('(pa) 996ms b', said);
    m.expect(follow('/svc/else'), '2s !').toBe('e', { e: '10.9.9.9:80' });
  }));
