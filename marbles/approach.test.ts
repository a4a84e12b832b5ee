/**
 * A connection before it is routed, and how long each step of it may take.
 *
 *   said    h  a whole ClientHello for a.example      1 2  its halves
 *           p  a whole PROXY header from 10.0.0.1     g  what is neither
 *   told    where it was identified to be from, or why it was refused
 */
import { test } from 'node:test';
import { NEVER, Observable } from 'rxjs';
import type { ServerConfig } from '../src/config/config.ts';
import { Approach } from '../src/server/approach.ts';
import type { Approached } from '../src/server/approached.ts';
import { compileRules } from '../src/server/rules.ts';
import type { Handshake, Securing } from '../src/socket/secure.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { makeTimers } from '../src/timers.ts';
import { FakePlain } from '../test/support/fake-plain.ts';
import { hello, sni } from '../test/support/hello-bytes.ts';
import { noPlugin } from '../test/support/no-plugin.ts';
import { makeConfig } from '../test/support/serving.ts';
import { serverTls } from '../test/support/tls-settings.ts';

const HELLO = hello({ extensions: [sni('a.example')] });
const SAID: Readonly<Record<string, Buffer>> = {
  h: HELLO,
  1: HELLO.subarray(0, 20),
  2: HELLO.subarray(20),
  p: Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n'),
  g: Buffer.from('GET / HTTP/1.1\r\n'),
};

const show = (how: Approached): string => {
  if (how.t === 'here') return [how.source.ip, how.source.sni].filter(Boolean).join(' ');
  const { reason, limit, detail } = how.close;
  return [reason, limit ?? detail].filter(Boolean).join(' ');
};

/** What becomes of a connection on which this is said; `shakes` is the other side’s handshake, where there is one. */
const approach = (
  m: Marbles,
  settings: Partial<ServerConfig>,
  { said = '', shakes }: { readonly said?: string; readonly shakes?: string },
): Observable<string> =>
  new Observable((out) => {
    const config = makeConfig(settings);
    const hand = (done: Securing['done']): void => {
      if (shakes === undefined) return;
      const failed: Handshake = { t: 'failed', code: 'closed' };
      out.add(m.cold(shakes).subscribe({ complete: () => done(failed) }));
    };
    const socket = new FakePlain(hand);
    const made = new Approach({
      socket,
      source: { ip: '127.0.0.1', port: 1, localPort: 2, alpn: [] },
      at: m.env.scheduler.now(),
      server: 'a',
      config,
      rules: compileRules(config, noPlugin),
      timers: makeTimers(m.env.scheduler),
      wallNow: m.env.wallNow,
      done: (how) => {
        out.next(show(how));
        out.complete();
      },
    });
    made.start();
    const said$ = said === '' ? NEVER : m.cold(said, SAID);
    out.add(said$.subscribe((bytes) => socket.hears(bytes)));
    out.add(made.drop);
  });

const PEEK = { peek: { timeoutMs: 3000 } };
const PROXY = { proxyProtocol: { trust: ['127.0.0.1'], required: true, timeoutMs: 3000 } };
const OPTIONAL = { proxyProtocol: { ...PROXY.proxyProtocol, required: false } };
const TLS = { tls: serverTls({ handshakeTimeoutMs: 2000 }) };

const ROWS: readonly (readonly [
  what: string,
  settings: Partial<ServerConfig>,
  given: { readonly said?: string; readonly shakes?: string },
  told: string,
  value: string,
])[] = [
  ['a whole ClientHello decides', PEEK, { said: '-h' }, '-(t|)', '127.0.0.1 a.example'],
  [
    'so do its halves, when the second is here',
    PEEK,
    { said: '-1 999ms 2' },
    '1001ms (t|)',
    '127.0.0.1 a.example',
  ],
  ['what is no TLS is known by its first byte', PEEK, { said: '--g' }, '--(t|)', '127.0.0.1'],
  ['a late ClientHello is not waited for', PEEK, { said: '1 3s 2' }, '3s (t|)', '127.0.0.1'],
  ['nor is a silent client', PEEK, {}, '3s (t|)', '127.0.0.1'],
  [
    'what the server gives to a connection in all comes first',
    { ...PEEK, connectTimeoutMs: 1000 },
    { said: '1' },
    '1s (t|)',
    'connect-timeout 1000ms',
  ],
  ['a PROXY header tells whose it is', PROXY, { said: '--p' }, '--(t|)', '10.0.0.1'],
  ['one that must come and does not', PROXY, {}, '3s (t|)', 'proxy-protocol none in 3000ms'],
  ['one that may come and does not', OPTIONAL, {}, '3s (t|)', '127.0.0.1'],
  [
    'each step has its own time',
    { ...PROXY, ...PEEK },
    { said: '-p 2s h' },
    '2002ms (t|)',
    '10.0.0.1 a.example',
  ],
  ['and its own end', { ...PROXY, ...PEEK }, { said: '-p 3s h' }, '3001ms (t|)', '10.0.0.1'],
  ['a handshake that fails', TLS, { shakes: '--|' }, '--(t|)', 'tls-handshake closed'],
  ['a handshake that takes for ever', TLS, {}, '2s (t|)', 'tls-timeout 2000ms'],
  [
    'a handshake behind a header has what is left',
    { ...PROXY, ...TLS, connectTimeoutMs: 2500 },
    { said: '1s p' },
    '2500ms (t|)',
    'connect-timeout 2500ms',
  ],
  [
    'who is not let in is refused before a handshake',
    { ...TLS, sources: { allow: [], deny: ['127.0.0.1'] } },
    {},
    '(t|)',
    'source-denied',
  ],
];

for (const [what, settings, given, told, value] of ROWS)
  test(`${what}: ${value}`, () =>
    marbles((m) => {
      m.expect(approach(m, settings, given)).toBe(told, { t: value });
    }));
