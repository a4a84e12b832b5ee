/**
 * Where connections want to go, by what is known of them: the first rule that holds decides.
 *
 *   p  plain, from the office        q  plain, to the port of Postgres      s  plain, from elsewhere
 *   a  TLS for a.db.example.com      A  the same, from the office           h  TLS that speaks h2
 *   w  shows a certificate of web    e  TLS for a name with a slash in it
 */
import { test } from 'node:test';
import { map } from 'rxjs';
import type { Conditions, IdentifyRule } from '../src/config/config.ts';
import { compileIdentify } from '../src/server/identify.ts';
import type { Source } from '../src/source.ts';
import { marbles } from '../src/testing/marbles.ts';
import { noPlugin } from '../test/support/no-plugin.ts';

const ELSEWHERE: Source = { ip: '192.0.2.7', port: 5000, localPort: 7000, alpn: [] };
const OFFICE = { ip: '10.1.2.3' };
const WEB = {
  subject: 'CN=web',
  dns: [],
  uris: ['spiffe://prod/ns/shop/sa/web'],
  ips: [],
  spiffe: 'spiffe://prod/ns/shop/sa/web',
  fingerprint: '00',
};

const CONNECTIONS: Readonly<Record<string, Source>> = {
  p: { ...ELSEWHERE, ...OFFICE },
  q: { ...ELSEWHERE, localPort: 5432 },
  s: ELSEWHERE,
  a: { ...ELSEWHERE, sni: 'a.db.example.com' },
  A: { ...ELSEWHERE, ...OFFICE, sni: 'a.db.example.com' },
  h: { ...ELSEWHERE, alpn: ['h2'] },
  w: { ...ELSEWHERE, sni: 'a.db.example.com', cert: WEB },
  e: { ...ELSEWHERE, sni: 'a/b.db.example.com' },
};

const rules = (list: readonly (readonly [Conditions, string])[]): readonly IdentifyRule[] =>
  list.map(([conditions, dst], i) => ({ place: `[${i}]`, conditions, dst }));

const BY_NAME: readonly [Conditions, string] = [{ sni: ['*.db.example.com'] }, '/svc/db/{sni}'];
const BY_CERT: readonly [Conditions, string] = [
  { clientCert: { uri: ['spiffe://prod/ns/*/sa/web'] } },
  '/svc/internal',
];
const REST: readonly [Conditions, string] = [{}, '/svc/default'];

/** Rules, who comes when, and what each is identified as. */
const BOOK: Readonly<
  Record<
    string,
    readonly [
      list: readonly (readonly [Conditions, string])[],
      come: string,
      go: string,
      where: Readonly<Record<string, string>>,
    ]
  >
> = {
  'a name leads on under its own name, the rest elsewhere': [
    [BY_NAME, REST],
    '-a-s-',
    '-x-y-',
    { x: '/svc/db/a.db.example.com [0]', y: '/svc/default [1]' },
  ],
  'the first rule that holds decides, whatever holds behind it': [
    [BY_NAME, BY_CERT, REST],
    '-w-',
    '-x-',
    { x: '/svc/db/a.db.example.com [0]' },
  ],
  'and the other way about': [
    [BY_CERT, BY_NAME, REST],
    '-w-a-',
    '-x-y-',
    { x: '/svc/internal [0]', y: '/svc/db/a.db.example.com [1]' },
  ],
  'all conditions of a rule must hold': [
    [[{ sni: ['*.db.example.com'], source: ['10.0.0.0/8'] }, '/both'], REST],
    '-aAp-',
    '-yxy-',
    { x: '/both [0]', y: '/svc/default [1]' },
  ],
  'a protocol, a network and a port lead where they are said to': [
    [
      [{ alpn: ['h2'] }, '/svc/h2'],
      [{ source: ['10.0.0.0/8'] }, '/svc/lan'],
      [{ localPort: [5432] }, '/svc/pg'],
      REST,
    ],
    '-hpqs-',
    '-hpqs-',
    { h: '/svc/h2 [0]', p: '/svc/lan [1]', q: '/svc/pg [2]', s: '/svc/default [3]' },
  ],
  'a label that is captured leads on, escaped so that it stays one segment': [
    [[{ sni: ['{name}.db.example.com'] }, '/svc/{name}'], REST],
    '-a-e-',
    '-x-y-',
    { x: '/svc/a [0]', y: '/svc/a\\x2fb [0]' },
  ],
  'who no rule holds for is nobody': [
    [BY_NAME, BY_CERT],
    '-s-a-',
    '-n-x-',
    { n: 'nobody', x: '/svc/db/a.db.example.com [0]' },
  ],
};

for (const [what, [list, come, go, where]] of Object.entries(BOOK))
  test(what, () =>
    marbles((m) => {
      const identify = compileIdentify(rules(list), noPlugin);
      const told = m.cold(come, CONNECTIONS).pipe(
        map((source) => {
          const identified = identify(source);
          return identified === undefined ? 'nobody' : `${identified.dst} ${identified.rule}`;
        }),
      );
      m.expect(told).toBe(go, where);
    }),
  );
