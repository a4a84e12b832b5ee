/** Names by DNS with Debian’s dnsmasq: services, priorities, hosts of both families, and a server that goes and returns. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import {
  findProgram,
  freePort,
  makeScope,
  type Scope,
  type Service,
  startService,
  temporaryFolder,
} from '../support/process.ts';
import { openPeer, startNamed } from '../support/tcp.ts';

/** A dnsmasq that knows these services and hosts, for a second each. */
const startDnsmasq = async (
  scope: Scope,
  port: number,
  { hosts = '', services = [] as readonly string[] },
): Promise<Service> => {
  const folder = await temporaryFolder(scope);
  const file = join(folder, 'hosts');
  await writeFile(file, hosts);
  const options = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--bind-interfaces',
    '--local=/test/',
    '--local-ttl=1',
    '--neg-ttl=1',
    '--user=root',
    `--pid-file=${join(folder, 'pid')}`,
    '--listen-address=127.0.0.1',
    `--port=${port}`,
    `--addn-hosts=${file}`,
    ...services.map((service) => `--srv-host=${service}`),
  ];
  return startService(scope, [findProgram('dnsmasq'), ...options], { port });
};

const visit = async (port: number): Promise<string> => {
  const peer = await openPeer(port);
  const name = await peer.read(1);
  peer.socket.destroy();
  return name;
};

const start = async (scope: Scope, dnsPort: number, dtab: string) => {
  const daemon = await startDaemon(scope, {
    namers: [{ kind: 'io.l5d.dnssrv', domain: 'test', dnsHosts: [`127.0.0.1:${dnsPort}`] }],
    routers: [{ label: 'r', dtab, servers: [{ port: 0, dstName: '/svc/web' }] }],
  });
  const [port = 0] = daemon.ports;
  return { daemon, port };
};

const DTAB = '/svc/web => /#/io.l5d.dnssrv/_web._tcp;';
const HOSTS = '127.0.0.1 a.test\n127.0.0.1 b.test\n';

test('a service gets connections by the weights of its records, and by new ones when these are old', async (t) => {
  const scope = makeScope(t);
  const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
  const dns = await freePort();
  const services = [`_web._tcp.test,a.test,${a},1,9`, `_web._tcp.test,b.test,${b},1,1`];
  const first = await startDnsmasq(scope, dns, { hosts: HOSTS, services });
  const { port } = await start(scope, dns, DTAB);
  let few = 0;
  for (let i = 0; i < 300; i++) few += (await visit(port)) === 'B' ? 1 : 0;
  // Thirty; a draw strays by five.
  assert.ok(few >= 8 && few <= 52, `${few} of 300`);
  await first.kill();
  assert.match(await visit(port), /[AB]/);
  await startDnsmasq(scope, dns, { hosts: HOSTS, services: services.slice(1) });
  await eventually('only B is left', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => visit(port)));
    return all.every((name) => name === 'B');
  });
});

test('those of the next priority stand in while the first have no address, of both families', async (t) => {
  const scope = makeScope(t);
  const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
  const dns = await freePort();
  const services = [`_web._tcp.test,a.test,${a},1,1`, `_web._tcp.test,b.test,${b},2,1`];
  const without = await startDnsmasq(scope, dns, { hosts: '127.0.0.1 b.test\n', services });
  const { daemon, port } = await start(scope, dns, DTAB);
  assert.equal(await visit(port), 'B');
  await without.kill();
  await startDnsmasq(scope, dns, { hosts: `${HOSTS}::1 a.test\n`, services });
  await eventually('A is back', async () => (await visit(port)) === 'A');
  const [router] = await daemon.routers();
  const addresses = router?.names[0]?.endpoints.map(({ address }) => address).sort();
  assert.deepEqual(addresses, [`127.0.0.1:${a}`, `[::1]:${a}`]);
});

test('a service that does not exist leaves the way to the alternative, until it does', async (t) => {
  const scope = makeScope(t);
  const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
  const dns = await freePort();
  const none = await startDnsmasq(scope, dns, { hosts: HOSTS });
  const dtab = `/svc/web => /#/io.l5d.dnssrv/_web._tcp | /$/inet/127.0.0.1/${b};`;
  const { port } = await start(scope, dns, dtab);
  assert.equal(await visit(port), 'B');
  await none.kill();
  await startDnsmasq(scope, dns, { hosts: HOSTS, services: [`_web._tcp.test,a.test,${a},1,1`] });
  await eventually('the service is there', async () => (await visit(port)) === 'A');
});

test('an answer of four hundred servers comes by TCP', async (t) => {
  const scope = makeScope(t);
  const a = await startNamed(scope, 'A');
  const dns = await freePort();
  const services = Array.from({ length: 400 }, (_, i) => `_web._tcp.test,a.test,${a},1,${i + 1}`);
  await startDnsmasq(scope, dns, { hosts: HOSTS, services });
  const { port } = await start(scope, dns, DTAB);
  assert.equal(await visit(port), 'A');
});
