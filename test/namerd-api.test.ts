/** The served API, by the vectors of namerd’s own tests (V1 to V24, V27), and what they leave out. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { firstValueFrom, NEVER, of, Subject } from 'rxjs';
import type { Binding } from '../src/interpreter/namers/namer.ts';
import { bound, dtab, startApi } from './support/api.ts';

const YEEZUS = { yeezus: '/yeezy => /yeezus', tlop: '/ultralight => /beam' };

const leafJson = (addr: string, id = '/#/io.l5d.namer/foo'): string =>
  `{"type":"leaf","bound":{"addr":${addr},"id":"${id}","path":"/"}}`;

const addrs = (...ports: readonly number[]): string =>
  `{"type":"bound","addrs":[${ports
    .map((port) => `{"ip":"127.0.0.1","port":${port},"meta":{}}`)
    .join(',')}],"meta":{}}`;

test('V1, V2, V3: namespaces are listed, sorted', async (t) => {
  const api = await startApi(t, YEEZUS);
  for (const path of ['dtabs', 'dtabs/']) {
    const { status, headers, body } = await api.ask(path);
    assert.deepEqual(
      [status, headers['content-type'], body],
      [200, 'application/json', '["tlop","yeezus"]\n'],
    );
  }
  assert.equal((await api.ask('dtabsexpialidocious')).status, 404);
});

test('V4, V5: they are watched, and equal ones told once', async (t) => {
  const api = await startApi(t, YEEZUS);
  const stream = await api.watch('dtabs?watch=true');
  assert.equal(stream.headers['content-type'], 'application/json');
  assert.equal(await stream.line(), '["yeezus","tlop"]');
  await firstValueFrom(api.store.create('graduation', []));
  assert.equal(await stream.line(), '["yeezus","tlop","graduation"]');
  await firstValueFrom(api.store.put('graduation', dtab('/a=>/b')));
  await firstValueFrom(api.store.delete('tlop'));
  assert.equal(await stream.line(), '["yeezus","graduation"]');
});

test('V6, V7: a dtab as JSON, or as text where that is accepted first', async (t) => {
  const api = await startApi(t, YEEZUS);
  const json = await api.ask('dtabs/yeezus');
  assert.deepEqual(
    [json.status, json.headers['content-type'], json.headers.etag, json.body],
    [200, 'application/json', 'AAAAAAAAAAE=', '[{"prefix":"/yeezy","dst":"/yeezus"}]\n'],
  );
  for (const type of ['application/dtab', 'text/plain'])
    for (const accept of [type, `${type};q=0.9`, `${type}, application/json`]) {
      const { headers, body } = await api.ask('dtabs/yeezus', { headers: { accept } });
      assert.deepEqual([headers['content-type'], body], [type, '/yeezy=>/yeezus\n']);
    }
});

test('V8: a dtab is watched; who deletes it says nothing', async (t) => {
  const api = await startApi(t, YEEZUS);
  const stream = await api.watch('dtabs/yeezus?watch=true');
  assert.equal(await stream.line(), '[{"prefix":"/yeezy","dst":"/yeezus"}]');
  const put = { method: 'PUT', headers: { 'content-type': 'application/dtab' } };
  await api.ask('dtabs/yeezus', { ...put, body: '/yeezy=>/kanye' });
  assert.equal(await stream.line(), '[{"prefix":"/yeezy","dst":"/kanye"}]');
  await api.ask('dtabs/yeezus', { method: 'DELETE' });
  await api.ask('dtabs/yeezus', { ...put, body: '/yeezy=>/yeezus' });
  assert.equal(await stream.line(), '[{"prefix":"/yeezy","dst":"/yeezus"}]');
});

test('V9, V10: one that is not there, and one whose body is not wanted', async (t) => {
  const api = await startApi(t, YEEZUS);
  assert.deepEqual((({ status, body }) => [status, body])(await api.ask('dtabs/graduation')), [
    404,
    '',
  ]);
  const { status, headers } = await api.ask('dtabs/yeezus', { method: 'HEAD' });
  assert.deepEqual(
    [status, headers.etag, headers['content-length']],
    [200, 'AAAAAAAAAAE=', undefined],
  );
  assert.equal((await api.ask('dtabs/graduation', { method: 'HEAD' })).status, 404);
});

test('V11: a new one, of all types', async (t) => {
  const api = await startApi(t, YEEZUS);
  const json = '[{"prefix":"/a","dst":"/b | /c"}]';
  const bodies = {
    'application/json': json,
    'application/json;charset=UTF-8': json,
    'text/plain': '/a=>/b|/c',
    'application/dtab': '/a => /b | /c;',
  };
  for (const [i, [type, body]] of Object.entries(bodies).entries()) {
    const post = { method: 'POST', headers: { 'content-type': type }, body };
    assert.equal((await api.ask(`dtabs/n${i}`, post)).status, 204);
    assert.equal((await api.ask(`dtabs/n${i}`)).body, '[{"prefix":"/a","dst":"/b | /c"}]\n');
    assert.equal((await api.ask(`dtabs/n${i}`, post)).status, 409);
  }
  assert.equal((await api.ask('dtabs/x', { method: 'POST', body: '/a=>/b' })).status, 400);
});

test('what is no dtab is refused, in words where the text is one', async (t) => {
  const api = await startApi(t, YEEZUS);
  const ask = (method: string, type: string, body: string) =>
    api.ask('dtabs/x', { method, headers: { 'content-type': type }, body });
  for (const body of [
    'nonsense',
    '{}',
    '[1]',
    '[{"prefix":"/a"}]',
    '[{"prefix":"/a","dst":"b"}]',
    '[{"prefix":"/a","dst":"/b","x":1}]',
  ])
    for (const method of ['POST', 'PUT']) {
      const { status, body: told } = await ask(method, 'application/json', body);
      assert.deepEqual([status, told], [400, ''], body);
    }
  const put = await ask('PUT', 'text/plain', 'a=>/b');
  assert.deepEqual([put.status, put.body], [400, `'/' expected but 'a' found at '[a]=>/b'`]);
  assert.equal((await ask('PUT', 'image/png', '/a=>/b')).body, 'unsupported media type: image/png');
  assert.equal((await ask('PATCH', 'text/plain', '/a=>/b')).status, 405);
});

test('each rule of a JSON dtab is read alone', async (t) => {
  const api = await startApi(t, YEEZUS);
  const put = (...rules: readonly (readonly [prefix: string, dst: string])[]) =>
    api.ask('dtabs/yeezus', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(rules.map(([prefix, dst]) => ({ prefix, dst }))),
    });
  for (const [prefix, dst] of [
    ['/a=>/x;/b', '/c'],
    ['/a', '/b;/c=>/d'],
    ['/a', '/b;'],
    ['/a', ''],
    ['', '/b'],
    ['/a #', '\n=>/b'],
  ] as const)
    assert.equal((await put([prefix, dst])).status, 400, `${prefix} ${dst}`);
  assert.equal((await put(['/a', '/b #x'], [' /c # y\n', '/d | ~'])).status, 204);
  const { body } = await api.ask('dtabs/yeezus', { headers: { accept: 'text/plain' } });
  assert.equal(body, '/a=>/b;/c=>/d | ~\n');
});

test('V12: a write may depend on the version', async (t) => {
  const api = await startApi(t, YEEZUS);
  const put = (stamp: string | undefined, ns = 'yeezus') =>
    api.ask(`dtabs/${ns}`, {
      method: 'PUT',
      headers: { 'content-type': 'text/plain', ...(stamp && { 'if-match': stamp }) },
      body: '/yeezy=>/kanye',
    });
  assert.equal((await put('yolo')).status, 412);
  assert.equal((await put('*')).status, 412);
  assert.equal((await put('A')).status, 500);
  assert.match((await api.ask('dtabs/yeezus')).body, /yeezus/);
  assert.equal((await put('AAAAAAAAAAE=')).status, 204);
  assert.equal((await api.ask('dtabs/yeezus')).headers.etag, 'AAAAAAAAAAI=');
  assert.equal((await put('"AAAAAAAAAAI="')).status, 204);
  assert.equal((await put('AAAAAAAAAAE=')).status, 412);
  assert.equal((await put(undefined)).status, 204);
  assert.equal((await put('AAAAAAAAAAE=', 'new')).status, 404);
  assert.equal((await put(undefined, 'new')).status, 204);
});

test('a namespace is removed, and its versions do not come again', async (t) => {
  const api = await startApi(t, YEEZUS);
  const remove = () => api.ask('dtabs/yeezus', { method: 'DELETE' });
  assert.equal((await remove()).status, 204);
  assert.equal((await remove()).status, 404);
  await api.ask('dtabs/yeezus', {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: '/yeezy=>/yeezus',
  });
  assert.equal((await api.ask('dtabs/yeezus')).headers.etag, 'AAAAAAAAAAI=');
});

const NAMES = { default: '/foo => /#/io.l5d.namer/foo; /bar => /#/io.l5d.namer/bar' };

test('V13, V14: bind, with what is known of addresses', async (t) => {
  const api = await startApi(t, NAMES);
  api.name('/foo', bound([1]));
  const { status, headers, body } = await api.ask('bind/default?path=/foo');
  assert.deepEqual(
    [status, headers['content-type'], body],
    [200, undefined, `${leafJson(addrs(1))}\n`],
  );
  const known =
    '{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{"node_meta":{"foo_node":"bar_node"}}}],"meta":{"service_meta":{"foo_serv":"bar_serv"}}}';
  api.name(
    '/bar',
    bound([1], { service_meta: { foo_serv: 'bar_serv' } }, { node_meta: { foo_node: 'bar_node' } }),
  );
  const told = (await api.ask('bind/default?path=/bar')).body;
  assert.equal(told, `${leafJson(known, '/#/io.l5d.namer/bar')}\n`);
});

test('V15: rules of the request come last, and so win', async (t) => {
  const api = await startApi(t, NAMES);
  api.name('/foo', bound([1]));
  api.name('/bar', bound([1]));
  const { body } = await api.ask('bind/default?path=/foo&dtab=/foo=>/bar');
  assert.equal(body, `${leafJson(addrs(1), '/#/io.l5d.namer/bar')}\n`);
  const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  const posted = await api.ask('bind/default?path=/nope', {
    ...form,
    body: 'path=%2Ffoo&dtab=/foo=>/bar%3B',
  });
  assert.equal(posted.body, body);
});

test('V16, V18: a bind is watched until it fails', async (t) => {
  const api = await startApi(t, NAMES);
  api.name('/foo', bound([1]));
  api.name('/bar', bound([1]));
  const binding$ = new Subject<Binding>();
  api.bindings.set('/foo', binding$);
  const stream = await api.watch('bind/default?path=/foo&watch=true');
  const say = async (binding: Binding, told: string): Promise<void> => {
    binding$.next(binding);
    assert.equal(await stream.line(), told);
  };
  await say(api.leaf('/foo'), leafJson(addrs(1)));
  await say({ t: 'ok', tree: { t: 'neg' } }, '{"type":"neg"}');
  await say(api.leaf('/bar'), leafJson(addrs(1), '/#/io.l5d.namer/bar'));
  api.bindings.set('/bad', of({ t: 'failed', cause: 'error' }));
  const failing = await api.watch('bind/default?path=/%23/io.l5d.namer/bad&watch=1');
  assert.equal(await failing.line(), 'error');
  assert.equal(await failing.line(), undefined);
});

test('V17: what is no path is refused', async (t) => {
  const api = await startApi(t, NAMES);
  for (const verb of ['bind', 'addr', 'resolve', 'delegate']) {
    const { status, body } = await api.ask(`${verb}/default?path=invalid`);
    assert.deepEqual(
      [status, body],
      [400, `Invalid path: invalid / '/' expected but 'i' found at '[i]nvalid'`],
    );
    assert.equal((await api.ask(`${verb}/default`)).status, 500);
    assert.equal((await api.ask(`${verb}/default?path=%2`)).status, 500);
    assert.equal((await api.ask(`${verb}/default?path=/foo&dtab=nope`)).status, 500);
  }
  for (const verb of ['bind', 'addr', 'resolve']) {
    assert.equal((await api.ask(`${verb}?path=/foo`)).status, 404);
    assert.equal((await api.ask(`${verb}?path=foo`)).status, 400);
    assert.equal((await api.ask(verb)).status, 500);
    // Who has no namespace is told at once, though nobody knows the name yet.
    api.bindings.set('/silent', NEVER);
    for (const more of ['', '&dtab=nope'])
      assert.equal((await api.ask(`${verb}?path=/%23/io.l5d.namer/silent${more}`)).status, 404);
  }
});

test('V19, V20: addresses of a concrete name, once they are known, and as they change', async (t) => {
  const api = await startApi(t, NAMES);
  const foo$ = api.name('/foo', { t: 'pending' });
  const asked = api.ask('addr/default?path=/%23/io.l5d.namer/foo');
  const stream = await api.watch('addr/default?path=/%23/io.l5d.namer/foo&watch=t');
  assert.equal(stream.headers['content-type'], undefined);
  foo$.next(bound([1]));
  assert.equal((await asked).body, `${addrs(1)}\n`);
  assert.equal(await stream.line(), addrs(1));
  foo$.next(bound([1, 2]));
  assert.equal(await stream.line(), addrs(1, 2));
  foo$.next({ t: 'neg' });
  assert.equal(await stream.line(), '{"type":"neg"}');
  foo$.next(bound([3]));
  assert.equal(await stream.line(), addrs(3));
});

test('V21, V22: a name down to its addresses', async (t) => {
  const api = await startApi(t, { default: '/foo => /#/io.l5d.namer/foo' });
  api.name('/foo', bound([1], { 'bound-meta': 'bound-data' }, { 'isa-meta': 'isa-data' }));
  const { headers, body } = await api.ask('resolve/default?path=/yeezy&dtab=/yeezy=>/foo');
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(
    body,
    '{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{"isa-meta":"isa-data"}}],"meta":{"bound-meta":"bound-data"}}\n',
  );
  const bar$ = api.name('/bar', { t: 'pending' });
  const stream = await api.watch('resolve/default?path=/%23/io.l5d.namer/bar&watch=true');
  bar$.next(bound([1]));
  assert.equal(await stream.line(), addrs(1));
  bar$.next(bound([1, 2]));
  assert.equal(await stream.line(), addrs(1, 2));
  bar$.next({ t: 'neg' });
  assert.equal(await stream.line(), '{"type":"neg"}');
});

test('what has no addresses resolves to neg, of a namespace that is not there too', async (t) => {
  const api = await startApi(t, { default: '/no => ~; /fail => !; /empty => $ | /foo' });
  for (const name of ['no', 'fail', 'empty', 'other'])
    assert.equal((await api.ask(`resolve/default?path=/${name}`)).body, '{"type":"neg"}\n', name);
  assert.equal((await api.ask('resolve/none?path=/foo')).body, '{"type":"neg"}\n');
});

test('a union is told whole by bind, and a branch of it by resolve', async (t) => {
  const api = await startApi(t, {
    default:
      '/u => 3 * /#/io.l5d.namer/foo & /#/io.l5d.namer/bar; /o => 1 * /#/io.l5d.namer/foo & 0 * /#/io.l5d.namer/bar',
  });
  api.name('/foo', bound([1]));
  api.name('/bar', bound([2]));
  const { body } = await api.ask('bind/default?path=/u');
  const { type, union } = JSON.parse(body);
  assert.equal(type, 'union');
  assert.deepEqual(
    union.map(
      (one: { weight: number; tree: { bound: { id: string; addr: { meta: object } } } }) => [
        one.weight,
        one.tree.bound.id,
        one.tree.bound.addr.meta,
      ],
    ),
    [
      [3, '/#/io.l5d.namer/foo', { namer_nametree_weight: 3 }],
      [1, '/#/io.l5d.namer/bar', { namer_nametree_weight: 1 }],
    ],
  );
  for (let i = 0; i < 20; i++)
    assert.equal((await api.ask('resolve/default?path=/o')).body, `${addrs(1)}\n`);
});

test('where one leaf is left of a union bind tells the weight that it had, and nobody else does', async (t) => {
  const api = await startApi(t, {
    default:
      '/foo => /#/io.l5d.namer/foo; /one => 3 * /foo & /none; /inner => 7 * (2 * /foo & ~) & 5 * /bar; /two => 4 * /one & 6 * /foo',
  });
  api.name('/foo', bound([1]));
  const leafWith = (meta: string): string =>
    leafJson(`{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{}}],"meta":${meta}}`);
  const asked = async (path: string): Promise<string> => (await api.ask(path)).body;
  const three = leafWith('{"namer_nametree_weight":3}');
  assert.equal(await asked('bind/default?path=/one'), `${three}\n`);
  assert.equal(
    await asked('bind/default?path=/inner'),
    `${leafWith('{"namer_nametree_weight":2}')}\n`,
  );
  const six = leafWith('{"namer_nametree_weight":6}');
  assert.equal(
    await asked('bind/default?path=/two'),
    `{"type":"union","union":[{"weight":4,"tree":${three}},{"weight":6,"tree":${six}}]}\n`,
  );
  for (const verb of ['resolve', 'delegate'])
    assert.doesNotMatch(await asked(`${verb}/default?path=/one`), /namer_nametree_weight/);
});

test('V23, V24: a name is explained, in a namespace or by the rules of the request alone', async (t) => {
  const api = await startApi(t, YEEZUS);
  const { status, headers, body } = await api.ask('delegate/yeezus?path=/yeezy');
  const neg = '{"type":"neg","path":"/yeezus","dentry":{"prefix":"/yeezy","dst":"/yeezus"}}';
  assert.deepEqual(
    [status, headers['content-type'], body],
    [200, 'application/json', `{"type":"delegate","path":"/yeezy","delegate":${neg}}`],
  );
  const both = await api.ask('delegate/yeezus?path=/yeezy&dtab=/yeezy=>/bar');
  const bar = '{"type":"neg","path":"/bar","dentry":{"prefix":"/yeezy","dst":"/bar"}}';
  assert.equal(both.body, `{"type":"alt","path":"/yeezy","alt":[${bar},${neg}]}`);
  const alone =
    '{"type":"delegate","path":"/foo","delegate":{"type":"neg","path":"/bar","dentry":{"prefix":"/foo","dst":"/bar"}}}';
  assert.equal((await api.ask('delegate?dtab=/foo=>/bar&path=/foo')).body, alone);
  const post = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const posted = await api.ask('delegate', {
    ...post,
    body: '{"dtab":"/foo=>/bar","path":"/foo"}',
  });
  assert.equal(posted.body, alone);
  const inside = await api.ask('delegate', {
    ...post,
    body: '{"namespace":"yeezus","dtab":"","path":"/yeezy"}',
  });
  assert.equal(inside.body, body);
});

test('V24: what cannot be explained', async (t) => {
  const api = await startApi(t, YEEZUS);
  const bad = await api.ask('delegate?dtab=foo&path=/foo');
  assert.deepEqual(
    [bad.status, bad.body],
    [400, `Invalid dtab: '/' expected but 'f' found at '[f]oo'`],
  );
  const post = (type: string, body: string) =>
    api.ask('delegate', { method: 'POST', headers: { 'content-type': type }, body });
  assert.equal((await post('application/json', '{')).status, 400);
  assert.equal((await post('application/json', '{"dtab":""}')).status, 400);
  assert.equal(
    (await post('application/json;charset=utf-8', '{"dtab":"","path":"/"}')).status,
    415,
  );
  assert.equal((await api.ask('delegate', { method: 'PUT' })).status, 405);
  const deep = await api.ask('delegate?dtab=/a=>/a&path=/a');
  assert.deepEqual([deep.status, deep.body], [500, 'Max recursion level reached.']);
});

test('V27: what is preferred comes first, and what does not count is shown', async (t) => {
  const api = await startApi(t, { d: '/srv=>/#/io.l5d.namer;/host=>/srv;/svc=>/host' });
  api.name('/woop', bound([1]));
  const { body } = await api.ask('delegate/d?path=/svc/poop&dtab=/host/poop=>/srv/woop');
  const shown: string[] = [];
  const walk = (step: { type: string; path: string; delegate?: object; alt?: object[] }): void => {
    shown.push(`${step.type} ${step.path}`);
    for (const one of [step.delegate, ...(step.alt ?? [])])
      if (one !== undefined) walk(one as typeof step);
  };
  walk(JSON.parse(body));
  assert.deepEqual(shown, [
    'delegate /svc/poop',
    'alt /host/poop',
    'delegate /srv/woop',
    'leaf /#/io.l5d.namer/woop',
    'delegate /srv/poop',
    'neg /#/io.l5d.namer/poop',
  ]);
});

test('bound names are listed and watched', async (t) => {
  const api = await startApi(t, {});
  assert.equal((await api.ask('bound-names')).body, '[]\n');
  const stream = await api.watch('bound-names?watch=true');
  assert.equal(await stream.line(), '[]');
  api.bound$.next(['/#/io.l5d.fs/web' as never]);
  assert.equal(await stream.line(), '["/#/io.l5d.fs/web"]');
  assert.equal((await api.ask('bound-names', { method: 'POST' })).status, 404);
});

test('a web page may read, and change nothing', async (t) => {
  const api = await startApi(t, YEEZUS);
  const headers = { origin: 'http://evil.example', 'content-type': 'text/plain' };
  const put = await api.ask('dtabs/yeezus', { method: 'PUT', headers, body: '/a=>/b' });
  assert.equal(put.status, 403);
});

test('a body beyond the bound, one watch too many, and rubbish', async (t) => {
  const api = await startApi(t, YEEZUS, { maxWatches: 2 });
  const huge = {
    method: 'PUT',
    headers: { 'content-type': 'text/plain' },
    body: '#'.repeat(2 ** 20 + 1),
  };
  assert.equal((await api.ask('dtabs/x', huge)).status, 413);
  const vast = { ...huge, body: '#'.repeat(2 ** 23) };
  assert.equal((await api.ask('dtabs/x', vast).catch(() => ({ status: 413 }))).status, 413);
  await api.watch('dtabs?watch=true');
  const second = await api.watch('dtabs?watch=true');
  const third = await api.ask('dtabs?watch=true');
  assert.deepEqual([third.status, third.body], [503, 'expected at most 2 watches, got one more']);
  const socket = connect(api.port, '127.0.0.1');
  socket.end('\x16\x03\x01 no HTTP\r\n\r\n');
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 400 /);
  assert.equal(await second.line(), '["yeezus","tlop"]');
  assert.equal((await api.ask('dtabs')).status, 200);
});

test('who watches and does not read is let go, and others go on', async (t) => {
  const api = await startApi(t, { big: '' });
  const socket = connect(api.port, '127.0.0.1');
  socket.write('GET /api/1/dtabs/big?watch=true HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'readable');
  const gone = once(socket, 'error').catch(() => undefined);
  const closed = once(socket, 'close');
  const rules = '/a=>/b;'.repeat(20_000);
  for (let i = 0; i < 60 && !socket.destroyed; i++) {
    await firstValueFrom(api.store.put('big', dtab(`${rules}/n${i}=>/b`)));
    await new Promise(setImmediate);
  }
  socket.resume();
  await Promise.race([gone, closed]);
  assert.equal((await api.ask('dtabs')).body, '["big"]\n');
});
