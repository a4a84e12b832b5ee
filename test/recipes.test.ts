/** The recipes of README.md do what they say: each configuration runs through scenarios. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { simulate } from '../src/simulate/command.ts';
import { marbles } from '../src/testing/marbles.ts';
import { codeBlocks, writeBlocks } from './support/code-blocks.ts';
import { writeIn } from './support/plugins.ts';
import { makeScope, temporaryFolder } from './support/process.ts';

const BLOCKS = codeBlocks(readFileSync('README.md', 'utf8'));

const SCENARIOS: Readonly<Record<string, string>> = {
  'a client opens 20 a second after a burst of 50': `
config: limits.yaml
duration: 10s
names: { /svc/db: [10.0.0.1:1] }
arrivals: [{ rate: 100/s, source: 192.0.2.1, lasts: 10ms }]
expect: [success >= 24%, success <= 26%, success == 100% until 500ms, refused(operator) >= 74%]`,
  'another client does not notice': `
config: limits.yaml
duration: 10s
names: { /svc/db: [10.0.0.1:1] }
arrivals:
  - { rate: 100/s, source: 192.0.2.1, lasts: 10ms }
  - { rate: 19/s, source: 192.0.2.2, from: 5s, lasts: 10ms }
expect: [refused(operator) <= 751]`,
  'all clients together hold 1000 of one name': `
config: limits.yaml
duration: 10s
names: { /svc/db: [10.0.0.1:1] }
arrivals: [{ rate: 200/s, source: 10.0.0.0/8, lasts: 1m }]
expect: [most open == 1000, refused(operator) == 1000, success == 100% until 5s]`,
  'only the office reaches what is below /svc/admin': `
config: office.yaml
duration: 10s
names: { /svc/admin/db: [10.0.0.1:1], /svc/web: [10.0.0.2:1] }
arrivals:
  - { rate: 10/s, source: 10.1.0.0/16 }
  - { rate: 10/s, source: 10.2.0.0/16 }
  - { rate: 10/s, server: 1, source: 198.51.100.0/24 }
expect:
  - never 10.2.0.0/16 -> /svc/admin
  - refused(operator) == 100
  - connections(/svc/admin/db) == 100
  - connections(/svc/web) == 100`,
  'a tenth of the clients goes to the new version, and some of these meet faults': `
config: canary.yaml
duration: 20s
names: { /svc/web: [10.0.0.1:1], /svc/web-new: [10.0.0.2:1] }
arrivals: [{ rate: 1000/s, source: 10.0.0.0/8, lasts: 10ms }]
expect:
  - connections(/svc/web-new) >= 9%
  - connections(/svc/web-new) <= 11%
  - refused(operator) >= 5
  - refused(operator) <= 40
  - connect p99 <= 5ms
  - connect p99.9 >= 200ms`,
};

for (const [what, text] of Object.entries(SCENARIOS))
  test(what, async (t) => {
    const folder = await temporaryFolder(makeScope(t));
    await writeBlocks(folder, BLOCKS);
    const file = await writeIn(folder, 'scenario.yaml', text);
    const done = simulate({ files: [file], seed: undefined, format: 'pretty' });
    if (done.t === 'bad') assert.fail(done.errors.join('\n'));
    assert.ok(done.isHeld, done.out);
  });

test('a shadow lets everybody go on, and logs whom it would refuse', () => {
  const office = BLOCKS.find(({ name }) => name === 'office.yaml');
  marbles((m) => {
    const r = m.router(office?.text ?? '', { names: { '/svc/web': ['a'] }, endpoints: { a: 'u' } });
    const to = { server: 'routers[0].servers[1]' };
    r.arrive(m.hot('xy', { x: { ...to, source: '198.51.100.7:1' }, y: to }));
    m.expect(r.dispatched$).toBe('-aa');
    m.flush();
    assert.deepEqual(m.logged, [
      'info an operator would refuse rt=shop operator=io.l5d.sourceFilter routers[0].operators[1] id=1 src=198.51.100.7:1 dst=/svc/web why=deny has 198.51.100.7',
    ]);
  });
});
