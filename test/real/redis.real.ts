/** Redis behind the daemon, driven by its own clients: no command may be lost, doubled or answered wrongly. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { findProgram, makeScope, type Service, succeed } from '../support/process.ts';
import { route } from '../support/route.ts';
import { startRedis } from '../support/servers.ts';

const REQUESTS = 100_000;
const scope = makeScope({ after });
let redis: Service;
let daemon: Daemon;

before(async () => {
  redis = await startRedis(scope);
  daemon = await startDaemon(scope, { routers: [route('redis', [redis.port])] });
});

const proxied = (): string => String(daemon.ports[0]);
const direct = (): string => String(redis.port);

const cli = (port: string, args: readonly string[], input = ''): Promise<string> =>
  succeed([findProgram('redis-cli'), '-h', '127.0.0.1', '-p', port, ...args], input);

/** Counts up a key once for each request: the key then tells how many arrived. */
const countUp = async (key: string, pipelined: string): Promise<void> => {
  const load = ['-c', '50', '-n', String(REQUESTS), '-P', pipelined, '-q', 'incr', key];
  const output = await succeed([findProgram('redis-benchmark'), '-p', proxied(), ...load]);
  assert.match(output, /requests per second/);
  assert.doesNotMatch(output, /error/i);
  assert.equal((await cli(direct(), ['get', key])).trim(), String(REQUESTS));
};

test('every command of redis-benchmark arrives once', () => countUp('plain', '1'));

test('every command of a pipelined redis-benchmark arrives once', () => countUp('pipelined', '16'));

test('no key is lost: 100,000 of them are set through the daemon and read directly', async () => {
  await cli(direct(), ['flushall']);
  const keys = Array.from({ length: REQUESTS }, (_, i) => `key:${i}`);
  const sets = keys.map((key, i) => `SET ${key} value:${i}:${'x'.repeat(i % 64)}\r\n`).join('');
  const answer = await cli(proxied(), ['--pipe'], sets);
  assert.match(answer, new RegExp(`errors: 0, replies: ${REQUESTS}`));
  assert.equal((await cli(direct(), ['dbsize'])).trim(), String(REQUESTS));
  const gets = Array.from({ length: REQUESTS / 1000 }, (_, batch) =>
    ['MGET', ...keys.slice(batch * 1000, (batch + 1) * 1000)].join(' '),
  );
  const read = (port: string): Promise<string> => cli(port, ['--raw'], `${gets.join('\n')}\n`);
  const values = (await read(direct())).trimEnd().split('\n');
  assert.deepEqual(
    values,
    keys.map((_, i) => `value:${i}:${'x'.repeat(i % 64)}`),
  );
  assert.equal(await read(proxied()), `${values.join('\n')}\n`);
});

test('redis-benchmark’s own set of commands runs without an error', async () => {
  const commands = 'ping,set,get,lpush,lrange_100,mset';
  const load = ['-c', '50', '-n', '20000', '-d', '1024', '-t', commands, '--csv'];
  const output = await succeed([findProgram('redis-benchmark'), '-p', proxied(), ...load]);
  assert.match(output, /^"LRANGE_100/m);
  assert.doesNotMatch(output, /error/i);
});

test('a subscriber gets what is published, and may be silent before', async () => {
  const pushed = cli(proxied(), [], 'BLPOP queue 20\n');
  await cli(proxied(), ['rpush', 'queue', 'job']);
  assert.match(await pushed, /job/);
});
