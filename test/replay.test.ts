/** Recordings of running daemons: dumped, replayed by the command, tried with other configurations, cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Daemon, runCommand, startDaemon } from './support/daemon.ts';
import { WHOLE, writeIn } from './support/plugins.ts';
import { freePort, makeScope, type Scope, temporaryFolder } from './support/process.ts';
import { openPeer, startNamed, startRefusing } from './support/tcp.ts';

const NAMES = (a: number, b: number) => ({
  '/svc/a': [`127.0.0.1:${a}`],
  '/svc/b': [`127.0.0.1:${b}`],
});

/** Two names: one with an endpoint that is there, one with one that refuses. */
const configOf = async (scope: Scope, more: object = {}): Promise<object> => ({
  recorder: { minutes: 5 },
  admin: { port: 0 },
  routers: [
    {
      label: 'r',
      interpreter: {
        kind: 'static',
        names: NAMES(await startNamed(scope, 'A'), await startRefusing(scope)),
      },
      servers: [
        { port: await freePort(), dstName: '/svc/a' },
        { port: await freePort(), dstName: '/svc/b' },
      ],
    },
  ],
  ...more,
});

/** Serves some connections, and writes what was recorded to a file. */
const record = async (scope: Scope, config: object) => {
  const daemon = await startDaemon(scope, config);
  const [good = 0, bad = 0] = daemon.ports;
  for (let i = 0; i < 3; i++) {
    const peer = await openPeer(good);
    await peer.read(1);
    peer.socket.destroy();
  }
  const turnedAway = await openPeer(bad);
  await daemon.logged(({ reason }) => reason?.startsWith('connect-failed') === true);
  turnedAway.socket.destroy();
  const { body } = await daemon.post('/recorder/dump');
  const folder = await temporaryFolder(scope);
  return { folder, text: body, file: await writeIn(folder, 'r.ndjson', body) };
};

/** The same configuration with something else in its place. */
const edited = (config: object, ...changes: readonly (readonly [string, string])[]): string =>
  changes.reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(config));

test('what was recorded is decided again as it was', async (t) => {
  const scope = makeScope(t);
  const { file } = await record(scope, await configOf(scope));
  const { code, out } = await runCommand(['replay', file]);
  assert.match(out, /^4 connections of 2 names: \d+ events, \d+ decisions, each came out again/);
  assert.equal(code, 0);
});

test('another configuration is tried on it, and what would have changed is told', async (t) => {
  const scope = makeScope(t);
  const config = await configOf(scope);
  const { file, folder } = await record(scope, config);
  const same = await writeIn(folder, 'same.json', JSON.stringify(config));
  const unchanged = await runCommand(['replay', file, '--config', same]);
  assert.match(unchanged.out, /4 connections: nothing would have changed/);
  assert.match(unchanged.out, /gives 100 % of 4 outcomes as they were recorded/);
  const text = edited(config, ['"dstName":"/svc/b"', '"dstName":"/svc/a"']);
  const other = await writeIn(folder, 'other.json', text);
  const { code, out } = await runCommand(['replay', file, '--config', other]);
  assert.match(out, /4 connections: 1 would have gone to another name, or come to another end/);
  assert.match(out, /3 → 4 {3}\/svc\/a → 127/);
  assert.match(out, /1 → 0 {3}\/svc\/b refused: connect-failed/);
  assert.match(out, /127\.0\.0\.1:\d+ {2}\/svc\/b refused: connect-failed {2}now {2}\/svc\/a → /);
  assert.equal(code, 0);
  const bad = await writeIn(folder, 'bad.json', text.replace('"label"', '"lable"'));
  const wrong = await runCommand(['replay', file, '--config', bad]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.out, /bad\.json:1:\d+ routers\[0\]\.lable: unknown key/);
});

test('where addresses are hashed it is replayed from the balancers on, and says so', async (t) => {
  const scope = makeScope(t);
  const config = await configOf(scope, { recorder: { hashAddresses: true } });
  const { file, folder, text } = await record(scope, config);
  assert.match(text, /"src":"[0-9a-f]{16}:\d+"/);
  const other = edited(config, ['"dstName":"/svc/b"', '"dstName":"/svc/a"']);
  const tried = await writeIn(folder, 'other.json', other);
  const { code, out } = await runCommand(['replay', file, '--config', tried]);
  assert.equal(code, 0);
  assert.match(out, /each came out again/);
  assert.match(out, /nothing would have changed/);
  assert.match(out, /addresses of clients are hashed: it was replayed from the balancers on/);
});

test('of a recording that was cut, what is whole is replayed, and it is said where it was cut', async (t) => {
  const scope = makeScope(t);
  const { text, folder } = await record(scope, await configOf(scope));
  const lines = text.trimEnd().split('\n');
  const middle = lines.length - 4;
  const torn = [...lines.slice(0, middle), lines[middle]?.slice(0, 30)].join('\n');
  const inLine = await runCommand(['replay', await writeIn(folder, 'torn', torn)]);
  assert.equal(inLine.code, 0);
  assert.match(inLine.out, new RegExp(`torn:${middle + 1}: expected a line of a recording, got `));
  assert.match(inLine.out, /what stands before it was replayed/);
  const short = `${lines.slice(0, middle).join('\n')}\n`;
  const between = await runCommand(['replay', await writeIn(folder, 'short', short)]);
  assert.match(between.out, new RegExp(`short: it was cut after line ${middle}; what is whole`));
});

test('a line that is missing is told, and where nothing is left to check that is no success', async (t) => {
  const scope = makeScope(t);
  const { text, folder } = await record(scope, await configOf(scope));
  const lines = text.split('\n');
  const last = lines.toSpliced(-3, 1).join('\n');
  const less = await runCommand(['replay', await writeIn(folder, 'less', last)]);
  assert.match(less.out, /less: expected \d+ lines before its end, got \d+/);
  assert.equal(less.code, 0);
  const known = lines.filter((line) => !line.includes('"checkpoint"')).join('\n');
  const none = await runCommand(['replay', await writeIn(folder, 'none', known)]);
  assert.match(none.out, /0 events, 0 decisions: NOTHING COULD BE CHECKED/);
  assert.equal(none.code, 1);
});

test('a decision that is another one is told, by its exit code too', async (t) => {
  const scope = makeScope(t);
  const { text, folder } = await record(scope, await configOf(scope));
  const forged = text.replace('"reason":"connect-failed"', '"reason":"no-endpoints"');
  assert.notEqual(forged, text);
  const { code, out } = await runCommand(['replay', await writeIn(folder, 'forged', forged)]);
  assert.equal(code, 1);
  assert.match(out, /NOT REPRODUCED, 1 differences:/);
  assert.match(
    out,
    /r \/svc\/b {2}connectFailed 0: recorded refuse 4 no-endpoints; replayed refuse 4 connect-failed/,
  );
});

test('what is no recording is refused, with what is wrong', async (t) => {
  const scope = makeScope(t);
  const folder = await temporaryFolder(scope);
  const told = async (text: string) => runCommand(['replay', await writeIn(folder, 'file', text)]);
  for (const [text, message] of [
    ['', /file: expected a recording, got an empty file/],
    [
      'routers: []\n',
      /file:1: expected the first line of a recording, as POST \/recorder\/dump gives it, got "routers: \[\]"/,
    ],
    [
      '{"t":"recording","format":99,"program":"9","wallAt":0,"isHashed":false,"config":{}}\n',
      /file:1: expected a recording of format 1, got 99; replay it with the linkerd-tcp that made it/,
    ],
  ] as const) {
    const { code, out } = await told(text);
    assert.equal(code, 2);
    assert.match(out, message);
  }
  const { code, out } = await runCommand(['replay', '/nowhere/r.ndjson']);
  assert.equal(code, 2);
  assert.match(out, /cannot read \/nowhere\/r\.ndjson: no such file/);
});

test('where nothing is recorded the admin server says how to change that', async (t) => {
  const daemon = await startDaemon(makeScope(t), { recorder: undefined, routers: [] });
  const { status, body } = await daemon.post('/recorder/dump');
  assert.equal(status, 400);
  assert.match(body, /^nothing is recorded; set recorder in the configuration and reload/);
});

const bothListen = (daemon: Daemon): Promise<unknown> =>
  Promise.all(
    [0, 1].map((worker) =>
      daemon.logged((line) => line.message === 'listening' && line['worker'] === worker),
    ),
  );

test('each worker is a recording of its own in the one that is dumped', async (t) => {
  const scope = makeScope(t);
  const config = await configOf(scope, { workers: 2 });
  const daemon = await startDaemon(scope, config);
  await bothListen(daemon);
  const [port = 0] = daemon.ports;
  const peers = await Promise.all(Array.from({ length: 30 }, () => openPeer(port)));
  await Promise.all(peers.map((peer) => peer.read(1)));
  const { body } = await daemon.post('/recorder/dump');
  for (const { socket } of peers) socket.destroy();
  const cores = body.split('\n').filter((line) => line.startsWith('{"t":"core"'));
  assert.deepEqual(cores.map((line) => JSON.parse(line).core).sort(), [0, 1]);
  const folder = await temporaryFolder(scope);
  const file = await writeIn(folder, 'r.ndjson', body);
  const same = await writeIn(folder, 'same.json', JSON.stringify(config));
  const { code, out } = await runCommand(['replay', file, '--config', same]);
  assert.match(out, /^30 connections of \d+ names: .* each came out again/);
  assert.match(out, /worker 0:\n/);
  assert.match(out, /worker 1:\n/);
  assert.equal(code, 0);
});

test('a load balancer of a plugin is followed where the other configuration has it, and never loaded by a recording', async (t) => {
  const scope = makeScope(t);
  const folder = await temporaryFolder(scope);
  const plugin = await writeIn(folder, 'whole.mjs', WHOLE);
  const plain = await configOf(scope);
  const client = { kind: 'io.l5d.global', loadBalancer: { kind: 'com.example.turns' } };
  const { routers } = plain as { routers: readonly object[] };
  const config = { ...plain, plugins: [plugin], routers: [{ ...routers[0], client }] };
  const { file } = await record(scope, config);
  const alone = await runCommand(['replay', file]);
  assert.match(
    alone.out,
    /0 decisions: NOTHING COULD BE CHECKED\nnote: names that choose by com\.example\.turns were not followed/,
  );
  assert.equal(alone.code, 1);
  const same = await writeIn(folder, 'same.json', JSON.stringify(config));
  const whole = await runCommand(['replay', file, '--config', same]);
  assert.match(whole.out, /^4 connections of 2 names: \d+ events, [1-9]\d* decisions, each came/);
  assert.match(whole.out, /nothing would have changed/);
  const without = await writeIn(folder, 'without.json', JSON.stringify(plain));
  const refused = await runCommand(['replay', file, '--config', without]);
  assert.equal(refused.code, 2);
  assert.match(refused.out, /has the plugin .*whole\.mjs, which .*without\.json does not name/);
});
