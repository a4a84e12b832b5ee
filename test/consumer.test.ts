/** The package in a project of its own, as `npm pack` makes it: strict types without our sources, ESM, and what it exports works. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { codeBlocks, writeBlocks } from './support/code-blocks.ts';
import { writeIn } from './support/plugins.ts';
import { makeScope, runCommand, temporaryFolder } from './support/process.ts';

const PROJECT: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "consumer", "type": "module", "private": true }',
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      types: ['node'],
      outDir: 'out',
    },
    include: ['*.ts'],
  }),
  'plugin.ts': `
import type { PluginModule } from 'linkerd-tcp';

const plugin: PluginModule = ({ rxjs, codecs, kind, refuse }) => ({
  api: 1,
  loadBalancers: {
    'com.example.first': kind(codecs.object('an object', {}), () => ({ candidates }) => candidates[0]),
  },
  operators: {
    'com.example.gate': kind(
      codecs.object('an object with open', { open: codecs.required(codecs.values.flag, 'Whether.') }),
      ({ open }) => rxjs.map((envelope) => (open ? envelope : refuse(envelope, 'closed'))),
    ),
  },
});
export default plugin;
`,
  'parts.ts': `
import { asyncScheduler, concat, identity, NEVER, of } from 'rxjs';
import {
  type Env, type Envelope, makeAddress, makeTimers, type Path, type Ports, parsePath, readConfig, router, type RouterContext,
} from 'linkerd-tcp';
import { writeFileSync } from 'node:fs';

const env: Env = { scheduler: asyncScheduler, wallNow: Date.now, random: Math.random, log: () => undefined };
const timers = makeTimers(env.scheduler);
const pathOf = (text: string): Path => {
  const path = parsePath(text);
  if (path._tag === 'Left') throw new Error(path.left);
  return path.right;
};
writeFileSync('p.json', JSON.stringify({ routers: [{ label: 'r', dtab: '', servers: [{ port: 1, dstName: '/svc/a' }] }] }));
const loaded = readConfig('p.json');
if (loaded._tag === 'Left') throw new Error(loaded.left.join());
const [config] = loaded.right.config.routers;
if (config === undefined) throw new Error('no router');

// One connection of our own, which goes to an endpoint of our own.
const envelope: Envelope = {
  id: 1, rt: 'r', srv: 'mine', src: '192.0.2.1:1', dst: pathOf('/svc/a'), rule: '', at: timers.now(), deadline: timers.now() + 1000,
};
const ports: Ports = {
  watchClient: () => undefined,
  perform: (command, tell) => {
    if (command.t === 'connect') tell({ t: 'connected', dial: command.dial });
    if (command.t !== 'dispatch') return;
    console.log('joined', command.conn, command.address.text);
    tell({ t: 'closed', dial: command.dial, spurned: false });
  },
  sample: () => new Map(),
  close: () => undefined,
};
const context: RouterContext = {
  timers,
  report: () => undefined,
  directory: { addName: () => () => undefined, addRouter: () => () => undefined },
  operator: () => identity,
  loadBalancer: () => ({ candidates }) => candidates[0],
  ended: () => NEVER,
  serve: () => of({ t: 'arrived', envelope }),
  interpret: () => ({
    resolve: () => concat(of({ t: 'bound', endpoints: [{ address: makeAddress('10.0.0.1', 80), weight: 1 }] } as const), NEVER),
  }),
  streams: () => ports,
  refuse: ({ reason }) => console.log('refused', reason),
  watchClient: () => undefined,
  revise: () => undefined,
  waiting: () => [],
};
router(of(config), context, env).subscribe({ complete: () => console.log('over') });
`,
  'main.ts': `
import { createServer, connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { filter, firstValueFrom, of, NEVER, merge, take, toArray } from 'rxjs';
import { type Config, makeAddress, makeState, DEFAULT_POLICY, nextDue, readConfig, runRouters, step } from 'linkerd-tcp';
import { writeFileSync } from 'node:fs';

const state = makeState(DEFAULT_POLICY, 0.5);
const endpoints = [{ address: makeAddress('10.0.0.1', 80), weight: 1 }];
step(state, { t: 'resolved', at: 0, resolution: { t: 'bound', endpoints } });
const [command] = step(state, { t: 'arrived', at: 1, conn: 1, deadline: 100 });
if (command?.t !== 'connect' || nextDue(state) !== 100) throw new Error('step');

const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
await once(echo, 'listening');
const { port } = echo.address() as AddressInfo;
writeFileSync('c.json', JSON.stringify({
  log: { level: 'error' },
  routers: [{ label: 'r', interpreter: { kind: 'static', names: { '/svc/a': ['127.0.0.1:' + port] } },
    servers: [{ port: 0, dstName: '/svc/a' }] }],
}));
const loaded = readConfig('c.json');
if (loaded._tag === 'Left') throw new Error(loaded.left.join());
const config: Config = loaded.right.config;
const event$ = runRouters({ config$: merge(of(config), NEVER) });
const ended = firstValueFrom(event$.pipe(
  filter((event) => {
    if (event.t === 'listening') {
      const socket = connect(Number(event.srv.split(':')[1]), '127.0.0.1', () => socket.end('hello'));
      socket.resume();
    }
    return event.t === 'ended';
  }),
  take(1), toArray(),
));
const [event] = await ended;
if (event?.t === 'ended') console.log(event.record.close.reason, event.record.rx, event.record.tx);
process.exit();
`,
};

/** A folder with the project, and the package as npm would install it. */
const install = async (folder: string): Promise<void> => {
  await writeBlocks(folder, codeBlocks(readFileSync('README.md', 'utf8')));
  for (const [name, text] of Object.entries(PROJECT)) await writeIn(folder, name, text);
  const packed = await runCommand(['npm', 'pack', '--silent', '--pack-destination', folder]);
  assert.equal(packed.code, 0, packed.stderr);
  const home = join(folder, 'node_modules/linkerd-tcp');
  await mkdir(home, { recursive: true });
  const tarball = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '');
  const unpacked = await runCommand(['tar', '-xzf', tarball, '-C', home, '--strip-components=1']);
  assert.equal(unpacked.code, 0, unpacked.stderr);
  // What npm would fetch stands here already; what is only for development must not be needed.
  const needed = ['rxjs', 'io-ts', 'fp-ts', 'yaml', 'prom-client', 'dns-packet', '@types/node'];
  const deep = [
    'tslib',
    'tdigest',
    'bintrees',
    '@opentelemetry/api',
    '@leichtgewicht/ip-codec',
    'undici-types',
  ];
  const here = await readdir('node_modules');
  for (const name of [...needed, ...deep]) {
    if (!here.includes(name.split('/')[0] ?? '')) continue;
    await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
    await symlink(resolve('node_modules', name), join(folder, 'node_modules', name));
  }
};

test('a project of its own compiles against the package, and routes by it', async (t) => {
  const folder = await temporaryFolder(makeScope(t));
  await install(folder);
  const tsc = resolve('node_modules/.bin/tsc');
  const compiled = await runCommand([tsc, '-p', folder]);
  assert.equal(compiled.code, 0, compiled.stdout);
  const ran = await runCommand(['node', 'out/main.js'], '', folder);
  assert.deepEqual([ran.stderr, ran.stdout], ['', 'end 5 5\n']);
  const parts = await runCommand(['node', 'out/parts.js'], '', folder);
  assert.deepEqual([parts.stderr, parts.stdout], ['', 'joined 1 10.0.0.1:80\nover\n']);
  // It reads its configuration and makes the routers; they run when somebody subscribes.
  const own =
    'const { refused$ } = await import("./out/own.js"); console.log(typeof refused$.subscribe);';
  const read = await runCommand(['node', '--input-type=module', '-e', own], '', folder);
  assert.deepEqual([read.stderr, read.stdout], ['', 'function\n']);
  const tested = await runCommand(['node', '--test', 'out/routing.test.js'], '', folder);
  assert.equal(tested.code, 0, tested.stdout);
  assert.match(tested.stdout, /^# pass 1$/m);
});
