/** The interpreter `io.l5d.namerd.http` over real sockets, against a namerd that behaves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate } from 'selfsigned';
import { makeHttp } from '../src/interpreter/http.ts';
import { Bench, BOUND_1, BOUND_12, bench, ONE, TWO } from './support/namerd-bench.ts';
import { addr, bound, chunks, mute, NEG, pending, startNamerd } from './support/namerd-double.ts';

test('asks for a name as the API wants it, below a base path and in an odd namespace', async (t) => {
  const namerd = await startNamerd();
  t.after(() => namerd.close());
  const baseUrl = `${namerd.baseUrl}/base/path`;
  const namespace = 'a b/ü#?%';
  const tell = new Bench(t, namerd, { baseUrl, namespace }).resolve('/#/io.l5d.fs/web$\\x2f');
  await tell.next();
  assert.equal(
    namerd.asked[0]?.target,
    '/base/path/api/1/resolve/a%20b%2F%C3%BC%23%3F%25?path=/%23/io.l5d.fs/web%24%5Cx2f&watch=true',
  );
});

test('V22: follows a watch, and V25: a name that went and came back, on one connection', async (t) => {
  const { namerd, resolve } = await bench(t);
  namerd.replay('watch', pending);
  const tell = resolve();
  await namerd.until(() => namerd.asked.length === 1);
  namerd.set('/svc/web', ONE);
  assert.equal(await tell.next(), BOUND_1);
  namerd.set('/svc/web', TWO);
  assert.equal(await tell.next(), BOUND_12);
  namerd.set('/svc/web', NEG);
  assert.equal(await tell.next(), 'neg');
  namerd.set('/svc/web', bound(addr(3)));
  assert.equal(await tell.next(), 'bound 127.0.0.1:3');
  assert.equal(namerd.asked.length, 1);
});

test('one watch for each name, each on a connection of its own', async (t) => {
  const { namerd, resolve } = await bench(t);
  const tells = ['/svc/a', '/svc/b', '/svc/c'].map(resolve);
  for (const tell of tells) assert.equal(await tell.next(), 'neg');
  assert.deepEqual(
    namerd.open.map(({ kind, name }) => `${kind} ${name}`),
    ['watch /svc/a', 'watch /svc/b', 'watch /svc/c'],
  );
  assert.equal(namerd.connections, 3);
});

test('whoever leaves closes the connection of the watch, and asks no more', async (t) => {
  const { namerd, resolve } = await bench(t);
  const tells = Array.from({ length: 50 }, (_, i) => resolve(`/svc/n${i}`));
  await Promise.all(tells.map((tell) => tell.next()));
  assert.equal(namerd.connections, 50);
  for (const tell of tells) tell.leave();
  await namerd.until(() => namerd.connections === 0);
  assert.equal(namerd.asked.length, 50);
});

test('whoever leaves before there is any reply closes the connection too', async (t) => {
  const { namerd, resolve } = await bench(t);
  namerd.replay('watch', mute);
  const tell = resolve();
  await namerd.until(() => namerd.asked.length === 1);
  tell.leave();
  await namerd.until(() => namerd.connections === 0);
});

test('V28: a character cut in two, several lines in a chunk, BOM, CRLF and blank lines', async (t) => {
  const { namerd, resolve } = await bench(t);
  const umlaut = Buffer.from(`${bound(addr(1, '127.0.0.1', { owner: 'Jürgen 🚀' }))}\r\n`);
  const bom = Uint8Array.of(0xef, 0xbb, 0xbf);
  const singles = [...umlaut].map((byte) => Uint8Array.of(byte));
  namerd.replay('watch', chunks([bom, ...singles, '\n\n', `${NEG}\n${TWO}\r\n\n`]));
  const tell = resolve();
  assert.equal(await tell.next(), BOUND_1);
  assert.equal(await tell.next(), 'neg');
  assert.equal(await tell.next(), BOUND_12);
  assert.equal(tell.all.length, 3);
});

test('an answer of several MB is read whole, by watch and by poll', async (t) => {
  const many = Array.from({ length: 50_000 }, (_, i) =>
    addr(1 + (i % 60_000), `10.1.${i >> 8}.${i & 255}`),
  );
  for (const watch of [true, false]) {
    const { namerd, resolve } = await bench(t, { watch });
    namerd.set('/svc/web', bound(...many));
    const tell = resolve();
    assert.equal((await tell.next()).split(' ').length, 1 + many.length);
  }
});

test('addresses that cannot be dialed are left out, and logged once', async (t) => {
  const { namerd, resolve, logged } = await bench(t);
  const odd = [addr(1), addr(2, 'web.example'), addr(3, 'fe80:0:0:0:0:0:0:1%eth0')];
  namerd.set('/svc/web', bound(...odd));
  const tell = resolve();
  assert.equal(await tell.next(), 'bound 127.0.0.1:1 [fe80::1%eth0]:3');
  namerd.set('/svc/web', bound(...odd, addr(4, '0:0:0:0:0:0:0:1%lo'), addr(5, 'nonsense')));
  assert.equal(await tell.next(), 'bound 127.0.0.1:1 [fe80::1%eth0]:3 [::1]:4');
  assert.equal(logged.length, 1);
  assert.match(logged[0] ?? '', /web\.example/);
});

test('a namerd that is down at first is found when it comes, and again after it was away', async (t) => {
  const { namerd, resolve, logged } = await bench(t);
  const { port } = namerd;
  namerd.set('/svc/web', ONE);
  await namerd.close();
  const tell = resolve();
  assert.match(await tell.next(), /^failed namerd at .*ECONNREFUSED/);
  await namerd.listen(port);
  assert.equal(await tell.next(), BOUND_1);
  await namerd.close();
  assert.match(await tell.next(), /the connection was cut$/);
  namerd.set('/svc/web', TWO);
  await namerd.listen(port);
  assert.equal(await tell.next(), BOUND_12);
  assert.deepEqual(
    logged.map((line) => JSON.parse(line).level),
    ['warn', 'info'],
  );
});

test('polls go on one kept connection, and one that namerd closed is no failure', async (t) => {
  const { namerd, resolve, events } = await bench(t, { watch: false, periodSecs: 0.01 });
  namerd.set('/svc/web', ONE);
  const tell = resolve();
  assert.equal(await tell.next(), BOUND_1);
  await namerd.until(() => namerd.asked.length >= 5);
  assert.equal(namerd.connections, 1);
  namerd.replay('poll', ({ cut }) => cut());
  namerd.set('/svc/web', TWO);
  assert.equal(await tell.next(), BOUND_12);
  assert.ok(events.length >= 5);
  assert.ok(events.every(({ ok }) => ok));
  assert.deepEqual(tell.all, [BOUND_1, BOUND_12]);
});

const certificate = async (): Promise<{ key: string; cert: string }> => {
  const altNames = [{ type: 7 as const, ip: '127.0.0.1' }];
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'namerd' }], {
    keySize: 2048,
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return { key, cert };
};

test('https: trusts the given roots, for watches and for polls', async (t) => {
  const tls = await certificate();
  for (const watch of [true, false]) {
    const { namerd, resolve } = await bench(t, { tls, watch, http: makeHttp({ ca: tls.cert }) });
    namerd.set('/svc/web', ONE);
    assert.equal(await resolve().next(), BOUND_1);
  }
});

test('https: a certificate that nobody vouches for is a failure that says so', async (t) => {
  const { resolve } = await bench(t, { tls: await certificate() });
  assert.match(await resolve().next(), /^failed namerd at .*self-signed certificate$/);
});

test('https asked of a plain server is a failure', async (t) => {
  const namerd = await startNamerd();
  t.after(() => namerd.close());
  const baseUrl = namerd.baseUrl.replace('http:', 'https:');
  assert.match(await new Bench(t, namerd, { baseUrl }).resolve().next(), /^failed namerd at .*SSL/);
});

test('credentials in the base URL are sent, and never told', async (t) => {
  const namerd = await startNamerd();
  t.after(() => namerd.close());
  const baseUrl = namerd.baseUrl.replace('//', '//user:secret@');
  namerd.replay('watch', ({ cut }) => cut());
  const { resolve, logged, events } = new Bench(t, namerd, { baseUrl });
  const tell = resolve();
  assert.match(await tell.next(), /^failed /);
  assert.equal(await tell.next(), 'neg');
  assert.doesNotMatch(JSON.stringify([tell.all, logged, events]), /secret/);
});
