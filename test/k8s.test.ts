/** The namer of Kubernetes against a server that answers as the API’s documentation says; a cluster is not to be had here. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { NamerConfig } from '../src/config/config.ts';
import { parseKubeconfig } from '../src/config/kubeconfig.ts';
import { kubeApi } from '../src/interpreter/namers/k8s/api.ts';
import { makeK8s } from '../src/interpreter/namers/k8s/k8s.ts';
import { readList } from '../src/interpreter/namers/k8s/objects.ts';
import { readService } from '../src/interpreter/namers/k8s/service.ts';
import { addrOf, readSlice } from '../src/interpreter/namers/k8s/slices.ts';
import type { Path } from '../src/path.ts';
import { type KubeDouble, service, slice, startKube } from './support/kube-double.ts';
import { Listener, REAL, showAddr, showBinding } from './support/naming.ts';

type Config = Extract<NamerConfig, { kind: 'io.l5d.k8s' }>;

const start = (
  context: TestContext,
  { port }: KubeDouble,
  {
    api,
    ...changes
  }: Partial<Omit<Config, 'api'>> & { api?: Partial<NonNullable<Config['api']>> } = {},
) => {
  const config: Config = {
    kind: 'io.l5d.k8s',
    prefix: '/io.l5d.k8s' as Path,
    host: undefined,
    port: 8001,
    kubeconfig: undefined,
    context: undefined,
    labelSelector: undefined,
    api: { base: `http://127.0.0.1:${port}`, pem: {}, ...api },
    ...changes,
  };
  const namer = makeK8s(
    { config, prefix: '/#/io.l5d.k8s' as Path, api: kubeApi(config, {}) },
    REAL,
  );
  return (name: string) => new Listener(context, showBinding(namer(name as Path)));
};

test('a service is followed through its slices as they come, change and go', async (t) => {
  const kube = await startKube(t);
  kube.set(slice('web-a', ['10.0.0.1', '10.0.0.2']));
  const web = start(t, kube)('/prod/http/web/more');
  await web.until('10.0.0.1:80, 10.0.0.2:80');
  kube.set(slice('web-b', ['10.0.0.3', '10.0.0.1']));
  await web.until('10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80');
  kube.set(slice('web-a', ['10.0.0.2'], { conditions: { ready: false } }));
  await web.until('10.0.0.1:80, 10.0.0.3:80');
  kube.delete('web-b');
  await web.until('nobody');
  kube.delete('web-a');
  await web.until('neg');
  kube.set(slice('web-c', ['10.0.0.4']));
  await web.until('10.0.0.4:80');
  const asked = kube.asked.map(({ target }) => target);
  const [list, watch, ...more] = asked.filter((target) => target.includes('endpointslices'));
  const selector = 'labelSelector=kubernetes.io%2Fservice-name%3Dweb';
  assert.equal(list, `/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices?${selector}`);
  const rest = '&watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=101';
  assert.equal(watch, `${list}${rest}`);
  assert.deepEqual(more, []);
});

test('a watch that ends goes on from where it was, one that is forgotten is listed anew', async (t) => {
  const kube = await startKube(t);
  kube.set(slice('web-a', ['10.0.0.1']));
  const web = start(t, kube)('/prod/http/web');
  await web.until('10.0.0.1:80');
  await kube.until(2);
  kube.restart();
  await kube.until(3);
  kube.set(slice('web-a', ['10.0.0.2']));
  await web.until('10.0.0.2:80');
  kube.restart({ forget: true });
  await kube.until(6);
  kube.set(slice('web-a', ['10.0.0.3']));
  await web.until('10.0.0.3:80');
  const kinds = kube.asked.map(({ target }) => (target.includes('watch=true') ? 'watch' : 'list'));
  assert.deepEqual(kinds, ['list', 'watch', 'watch', 'watch', 'list', 'watch']);
  assert.deepEqual(web.all, ['pending', '10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']);
});

test('errors within a watch, bookmarks and rubbish', async (t) => {
  const kube = await startKube(t);
  kube.set(slice('web-a', ['10.0.0.1']));
  const web = start(t, kube)('/prod/http/web');
  await web.until('10.0.0.1:80');
  await kube.until(2);
  kube.say('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"777"}}}');
  kube.restart();
  await kube.until(3);
  assert.match(kube.asked[2]?.target ?? '', /resourceVersion=777$/);
  kube.say('{"type":"ERROR","object":{"code":410,"message":"too old"}}');
  await kube.until(5);
  assert.ok(!web.all.some((text) => text.startsWith('failed')));
  kube.say('rubbish');
  await web.until('failed Kubernetes: expected an event, got rubbish');
  await web.until('10.0.0.1:80');
});

test('a service that has the port exists, also with no slice of it', async (t) => {
  const kube = await startKube(t);
  const follow = start(t, kube);
  const [http, byNumber, admin] = ['http', '80', 'admin'].map((port) =>
    follow(`/prod/${port}/web`),
  );
  for (const one of [http, byNumber, admin]) await one?.until('neg');
  kube.setService(service(80));
  for (const one of [http, byNumber]) await one?.until('nobody');
  kube.set(slice('web-a', ['10.0.0.1'], { port: 8080 }));
  for (const one of [http, byNumber]) await one?.until('10.0.0.1:8080');
  kube.delete('web-a');
  for (const one of [http, byNumber]) await one?.until('nobody');
  kube.setService(service(80, { type: 'ExternalName' }));
  for (const one of [http, byNumber]) await one?.until('neg');
  kube.setService(service(80));
  for (const one of [http, byNumber]) await one?.until('nobody');
  kube.setService(undefined);
  for (const one of [http, byNumber]) await one?.until('neg');
  assert.deepEqual(admin?.all, ['pending', 'neg']);
  const [list] = kube.asked.filter(({ target }) => target.includes('/services?'));
  assert.equal(list?.target, '/api/v1/namespaces/prod/services?fieldSelector=metadata.name%3Dweb');
});

test('a number is the port of the service; where that has none, or may not be read, of the endpoints', async (t) => {
  const kube = await startKube(t);
  kube.setService(service(8080));
  kube.set(slice('web-a', ['10.0.0.1'], { port: 80 }));
  kube.set(slice('web-b', ['10.0.0.2'], { port: 8080, portName: 'admin' }));
  const follow = start(t, kube);
  const [service8080, endpoint80] = [follow('/prod/8080/web'), follow('/prod/80/web')];
  await service8080.until('10.0.0.1:80');
  await endpoint80.until('10.0.0.1:80');
  kube.setService(service(8080, { portName: 'admin' }));
  await service8080.until('10.0.0.2:8080');
  kube.hasServices = false;
  const blind = start(t, kube);
  await blind('/prod/8080/web').until('10.0.0.2:8080');
  await blind('/prod/80/web').until('10.0.0.1:80');
  await blind('/prod/grpc/web').until('neg');
});

test('ports by name and by number, labels, and what no name may hold', async (t) => {
  const kube = await startKube(t);
  kube.set(slice('web-a', ['10.0.0.1'], { port: 8080 }));
  kube.set(slice('web-b', ['10.0.0.2'], { port: 9090, portName: 'admin' }));
  const follow = start(t, kube);
  await follow('/prod/http/web').until('10.0.0.1:8080');
  await follow('/prod/9090/web').until('10.0.0.2:9090');
  await follow('/prod/grpc/web').until('neg');
  await follow('/prod/http').until('neg');
  await follow('/..\\x2f/http/web').until('neg');
  // A list and a watch of the slices, and of the service.
  await kube.until(4);
  const asked = kube.asked.length;
  assert.equal(asked, 4);
  const labelled = start(t, kube, { labelSelector: 'track' });
  await labelled('/prod/http/web/canary').until('10.0.0.1:8080');
  assert.match(kube.asked[asked]?.target ?? '', /service-name%3Dweb%2Ctrack%3Dcanary$/);
  await labelled('/prod/grpc/web/canary').until('neg');
  const last = kube.asked.filter(({ target }) => target.includes('/services?')).at(-1);
  assert.match(last?.target ?? '', /metadata.name%3Dweb&labelSelector=track%3Dcanary/);
});

test('tokens, also those that are replaced in their file; without one the refusal is told', async (t) => {
  const kube = await startKube(t);
  kube.set(slice('web-a', ['10.0.0.1']));
  kube.token = 'first';
  const tokenFile = join(tmpdir(), `token-${process.pid}`);
  writeFileSync(tokenFile, 'first\n');
  t.after(() => rmSync(tokenFile));
  await start(t, kube, { api: { token: 'first' } })('/prod/http/web').until('10.0.0.1:80');
  const refused = start(t, kube)('/prod/http/web');
  await refused.until(
    'failed Kubernetes: status 401: {"kind":"Status","message":"Unauthorized","code":401}',
  );
  const web = start(t, kube, { api: { tokenFile } })('/prod/http/web');
  await web.until('10.0.0.1:80');
  kube.token = 'second';
  writeFileSync(tokenFile, 'second\n');
  kube.restart({ forget: true });
  kube.set(slice('web-a', ['10.0.0.2']));
  await web.until('10.0.0.2:80');
});

test('outside of a cluster it says what is missing', async (t) => {
  const kube = await startKube(t);
  const outside = kubeApi({ ...({} as Config), api: undefined }, {});
  const heard: string[] = [];
  outside.http('x', 'poll').subscribe((one) => heard.push(one.t === 'broken' ? one.cause : one.t));
  assert.match(heard.join(), /expected to run in a cluster/);
  const { base } = kubeApi(
    { ...({} as Config), api: undefined },
    { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' },
  );
  assert.equal(base, 'https://[fd00::1]:6443');
  assert.equal(kube.asked.length, 0);
});

const conditions = (ready?: boolean, serving?: boolean, terminating?: boolean) => ({
  addresses: ['10.0.0.1'],
  conditions: { ready, serving, terminating },
});

const slicesOf = (...endpoints: readonly object[]) => {
  const json = { metadata: { name: 'a' }, ports: [{ port: 80 }], endpoints };
  const found = readSlice(json);
  assert.ok(found !== undefined);
  return [found];
};

test('who is used: the ready, and with none of them those that serve while they leave', () => {
  const other = { addresses: ['10.0.0.2'] };
  const told = (...endpoints: readonly object[]) => showAddr(addrOf(slicesOf(...endpoints), '80'));
  assert.equal(told(conditions()), '10.0.0.1:80');
  assert.equal(told(conditions(false), other), '10.0.0.2:80');
  assert.equal(told(conditions(false, true, true), other), '10.0.0.2:80');
  assert.equal(told(conditions(false, true, true)), '10.0.0.1:80');
  assert.equal(told(conditions(false, false, true)), 'nobody');
  assert.equal(told(conditions(false, true, false)), 'nobody');
  assert.equal(
    told({ addresses: ['web.example', '::ffff:10.0.0.9', 'fd00::1'] }),
    '10.0.0.9:80, [fd00::1]:80',
  );
});

test('no JSON makes it throw', () =>
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      readList(json, readSlice);
      readList({ items: [json] }, readService);
      readService({ metadata: { name: 'a' }, spec: { ports: [json] } });
      readService({ metadata: { name: 'a' }, spec: json });
      const found = readSlice({
        metadata: { name: 'a' },
        ports: [json],
        endpoints: [json, { addresses: json, conditions: json }],
      });
      if (found !== undefined) addrOf([found], '80');
    }),
    { numRuns: 2000 },
  ));

const KUBECONFIG = {
  'current-context': 'a',
  contexts: [
    { name: 'a', context: { cluster: 'c', user: 'u' } },
    { name: 'b', context: { cluster: 'c', user: 'v' } },
    { name: 'x', context: { cluster: 'c', user: 'exec' } },
    { name: 'i', context: { cluster: 'insecure', user: 'u' } },
    { name: 'n', context: { cluster: 'none', user: 'u' } },
  ],
  clusters: [
    {
      name: 'c',
      cluster: {
        server: 'https://kube:6443/',
        'certificate-authority-data': Buffer.from('CA').toString('base64'),
      },
    },
    {
      name: 'insecure',
      cluster: { server: 'https://kube:6443', 'insecure-skip-tls-verify': true },
    },
  ],
  users: [
    { name: 'u', user: { token: 'T' } },
    { name: 'v', user: { 'client-certificate': 'v.crt', 'client-key': 'v.key' } },
    { name: 'exec', user: { exec: { command: 'aws' } } },
  ],
};

test('a kubeconfig says where the server is and who asks', () => {
  const read = (context?: string) => parseKubeconfig(JSON.stringify(KUBECONFIG), context);
  const [current, other] = [read(), read('b')];
  assert.ok(isRight(current) && isRight(other));
  const common = { server: 'https://kube:6443', ca: { text: 'CA' } };
  assert.deepEqual(current.right, { ...common, token: { text: 'T' } });
  assert.deepEqual(other.right, { ...common, cert: { file: 'v.crt' }, key: { file: 'v.key' } });
  const wrong = (context: string): string => {
    const found = read(context);
    return isLeft(found) ? found.left : 'good';
  };
  assert.equal(wrong('nope'), 'expected a context "nope", got none');
  assert.equal(wrong('x'), 'expected a token or a client certificate, got exec');
  assert.match(wrong('i'), /insecure-skip-tls-verify/);
  assert.match(wrong('n'), /expected a cluster with a server/);
  assert.ok(isLeft(parseKubeconfig(': :')) && isLeft(parseKubeconfig('5')));
});
