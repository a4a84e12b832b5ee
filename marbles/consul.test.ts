/**
 * Blocking queries in virtual time. A query is answered by the next of a script: `1@7` the body 1 with index 7, `1@` without
 * one, `!` a failure; each after 10 ms. Then there is silence.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, delay, map, NEVER, of } from 'rxjs';
import { followService } from '../src/interpreter/namers/consul/follow-service.ts';
import type { Received, Transport } from '../src/interpreter/transport.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';

const received = (text: string): readonly Received[] => {
  if (text === '!') return [{ t: 'broken', cause: 'reset' }];
  const [body = '', index] = text.split('@');
  const headers = index === '' ? {} : { 'x-consul-index': index };
  return [
    { t: 'head', status: 200, headers },
    { t: 'chunk', bytes: new TextEncoder().encode(body) },
  ];
};

const follow = (m: Marbles, script: readonly string[]) => {
  const asked: string[] = [];
  const http: Transport = (url) => {
    const text = script[asked.length];
    asked.push(`${m.env.scheduler.now()} ${url.split('?')[1]}`);
    return text === undefined ? NEVER : of(...received(text)).pipe(delay(10, m.env.scheduler));
  };
  const told$ = followService({ url: 'http://consul/web?', http }, m.env).pipe(
    map((answered) => (answered.t === 'failed' ? answered.cause : answered.text)),
  );
  return { told$: concat(told$, NEVER), asked };
};

const told = (
  title: string,
  script: readonly string[],
  expected: string,
  asked: readonly string[],
) =>
  test(title, () =>
    marbles(
      (m) => {
        const { told$, asked: found } = follow(m, script);
        m.expect(told$, '^ 80s !').toBe(expected, {
          a: '1',
          b: '2',
          f: 'reset',
          t: 'Consul: no reply within 73750 ms',
        });
        m.flush();
        assert.deepEqual(found, asked);
      },
      { random: 0 },
    ),
  );

const WAIT = '&wait=60s';

told(
  'each answer says from where on the next is wanted',
  ['1@7', '2@9'],
  '10ms a 109ms b 73849ms t',
  ['0 ', `110 &index=7${WAIT}`, `220 &index=9${WAIT}`, '74470 '],
);

told(
  'an index that goes back begins anew at once',
  ['1@7', '2@3', '1@4'],
  '10ms a 109ms b 109ms a 73849ms t',
  ['0 ', `110 &index=7${WAIT}`, '220 ', `330 &index=4${WAIT}`, '74580 '],
);

told(
  'without an index it is asked for every five seconds',
  ['1@', '2@', '1@7'],
  '10ms a 5009ms b 5009ms a',
  ['0 ', '5010 ', '10020 ', `10130 &index=7${WAIT}`],
);

told(
  'failures are retried with growing delays, from the beginning',
  ['!', '!', '1@7'],
  '10ms f 509ms f 1009ms a 73849ms t',
  ['0 ', '510 ', '1520 ', `1630 &index=7${WAIT}`, '75880 '],
);
