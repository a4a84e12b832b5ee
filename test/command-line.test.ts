/** The command line as operators and scripts see it: output, exit codes, one clear line for each error. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch, startDaemon } from './support/daemon.ts';
import { makeScope, type Scope, temporaryFolder } from './support/process.ts';
import { route } from './support/route.ts';
import { startEcho } from './support/tcp.ts';

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const runMain = async (args: readonly string[], input = ''): Promise<Result> => {
  const { child, exited } = launch(args);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const { code } = await exited;
  return { code, stdout, stderr };
};

const fileOf = async (scope: Scope, config: object | string): Promise<string> => {
  const path = join(await temporaryFolder(scope), 'config.yaml');
  await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
};

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

const GOOD = { admin: { port: 0 }, routers: [route('web', [1])] };

test('-h and --help tell the usage on standard output', async () => {
  for (const flag of ['-h', '--help']) {
    const { code, stdout, stderr } = await runMain([flag]);
    assert.equal(code, 0);
    for (const word of ['Usage: linkerd-tcp CONFIG', '--check', 'SIGHUP', 'SIGTERM'])
      assert.ok(stdout.includes(word), word);
    assert.equal(stderr, '');
  }
});

test('-V and --version tell the version of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const flag of ['-V', '--version']) {
    const { code, stdout } = await runMain([flag]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`\\b${version.replaceAll('.', '\\.')}$`, 'm'));
  }
});

test('a wrong command line is one line and exit code 64', async () => {
  const wrong = [
    [],
    ['a', 'b'],
    ['--nonsense', 'a'],
    ['simulate'],
    ['simulate', 's.yaml', '--seed', 'x'],
    ['simulate', 's.yaml', '--format', 'xml'],
    ['schema'],
    ['schema', 'world'],
    ['delegate', 'c.yaml'],
    ['explain'],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await runMain(args);
    assert.equal(code, 64, args.join(' '));
    assert.equal(stdout, '');
    assert.ok(lines(stderr).length <= 2, stderr);
  }
});

test('--check says that a good file is good and starts nothing', async (t) => {
  const path = await fileOf(makeScope(t), GOOD);
  const { code } = await runMain(['--check', path]);
  assert.equal(code, 0);
});

test('--check tells all errors of a file by their place, sorted, and exits with 78', async (t) => {
  const text = `admin: {port: 74x}
routers:
- label: web
  interpreter: {kind: static, names: {/svc/web: [127.0.0.1:1]}}
  servers:
  - prot: 1
    dstName: web
`;
  const path = await fileOf(makeScope(t), text);
  for (const args of [['--check', path], [path]]) {
    const { code, stderr } = await runMain(args);
    assert.equal(code, 78);
    const places = [...stderr.matchAll(/config\.yaml:(\d+):\d+/g)].map(([, line]) => Number(line));
    assert.ok(places.includes(1), stderr);
    assert.ok(Math.max(...places) >= 6, stderr);
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    assert.match(stderr, /did you mean "?port/i);
  }
});

test('a file that is not there is one line and exit code 78', async () => {
  const { code, stderr } = await runMain(['/nowhere/config.yaml']);
  assert.equal(code, 78);
  assert.equal(lines(stderr).length, 1, stderr);
  assert.match(stderr, /\/nowhere\/config\.yaml/);
});

test('- reads standard input, as JSON or YAML', async () => {
  assert.equal((await runMain(['--check', '-'], JSON.stringify(GOOD))).code, 0);
  assert.equal((await runMain(['--check', '-'], 'routers: []\n')).code, 0);
  assert.equal((await runMain(['--check', '-'], 'routers: [')).code, 78);
});

test('a port in use is one clear line and exit code 1', async (t) => {
  const scope = makeScope(t);
  const port = await startEcho(scope);
  const inUse = [
    { ...GOOD, routers: [route('web', [1], { server: { port } })] },
    { ...GOOD, admin: { port } },
  ];
  for (const config of inUse) {
    const { code, stderr } = await runMain([await fileOf(scope, config)]);
    assert.equal(code, 1, stderr);
    const errors = lines(stderr).filter((line) => line.includes(`127.0.0.1:${port}`));
    assert.equal(errors.length, 1, stderr);
    assert.match(errors[0] ?? '', /in use|EADDRINUSE/i);
    assert.doesNotMatch(stderr, / at .*\.js:\d+/, 'no stack trace');
  }
});

test('SIGHUP before anything else is a reload, not the end', async (t) => {
  const scope = makeScope(t);
  const daemon = await startDaemon(scope, { routers: [route('web', [await startEcho(scope)])] });
  daemon.signal('SIGHUP');
  await daemon.logged(({ message }) => /reload/.test(message));
  assert.equal((await daemon.get('/ping')).status, 200);
});

test('simulate exits with 0, 1 or 2, and says the same for the same seed', async (t) => {
  const folder = await temporaryFolder(makeScope(t));
  const write = async (expect: string): Promise<string> => {
    const path = join(folder, `${expect.replaceAll(' ', '')}.yaml`);
    const arrivals = [{ rate: '50/s', source: '10.0.0.0/8', lasts: '1ms..1s' }];
    const names = { '/svc/web': ['10.0.0.1:1', '10.0.0.2:1'] };
    await writeFile(path, JSON.stringify({ duration: '2s', names, arrivals, expect: [expect] }));
    return path;
  };
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify(GOOD));
  const [good, bad, none] = [
    await write('success == 100%'),
    await write('connections(10.0.0.1:1) <= 1%'),
    await write('sucess == 1'),
  ];
  for (const format of ['pretty', 'json', 'junit']) {
    const args = ['simulate', '--format', format, '--seed', '11', config, good];
    const [one, other] = [await runMain([...args, bad]), await runMain([...args, bad])];
    assert.deepEqual([one.code, one.stderr], [1, '']);
    assert.equal(one.stdout, other.stdout);
    assert.equal((await runMain(args)).code, 0);
  }
  const { code, stdout, stderr } = await runMain(['simulate', config, good, none]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /sucess==1\.yaml:1:\d+ expect\[0\]: expected one of: success/);
});
