/**
 * Names by DNS in virtual time. What DNS says to a question is a list: the first answer, the second, …; the last one
 * stands. `1 30` is the address 10.0.0.1 for 30 s, `1+2 30` are two, `- 9` none for 9 s, `!` a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defer, delay, map, type Observable, of } from 'rxjs';
import { makeHosts } from '../src/interpreter/dns/hosts.ts';
import type { DnsAnswer, DnsPort, PlatformPort, Srv } from '../src/interpreter/dns/port.ts';
import { boundNames } from '../src/interpreter/namers/bound-names.ts';
import { makeDnsSrv } from '../src/interpreter/namers/dnssrv.ts';
import type { Host } from '../src/interpreter/namers/hosts.ts';
import { makeInet } from '../src/interpreter/namers/inet.ts';
import type { Path } from '../src/path.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { showBinding } from '../test/support/naming.ts';

type Script = readonly string[];

const srvOf = (text: string): Srv => {
  const [target = '', port, priority, weight] = text.split('/');
  return { target, port: Number(port), priority: Number(priority), weight: Number(weight) };
};

const answerOf = (text: string, type: string): DnsAnswer => {
  const [what = '', ttl] = text.split(' ');
  if (what === '!') return { t: 'failed', cause: 'SERVFAIL' };
  const ttlSecs = Number(ttl);
  if (what === '-') return { t: 'none', ttlSecs };
  const all = what.split('+');
  if (type === 'SRV') return { t: 'found', ips: [], srvs: all.map(srvOf), ttlSecs };
  const net = type === 'AAAA' ? 'fd00::' : '10.0.0.';
  return { t: 'found', ips: all.map((n) => net + n), srvs: [], ttlSecs };
};

/** Answers come within 1 ms; all questions are noted. */
const fake = (m: Marbles, scripts: Readonly<Record<string, Script>>) => {
  const asked: string[] = [];
  const ask = (key: string, type: string): Observable<DnsAnswer> =>
    defer(() => {
      const nth = asked.filter((one) => one === key).length;
      asked.push(key);
      const script = scripts[key] ?? ['- 60'];
      const text = script[Math.min(nth, script.length - 1)] ?? '- 60';
      return of(answerOf(text, type)).pipe(delay(1, m.env.scheduler));
    });
  const dns: DnsPort = ({ name, type }) => ask(`${type} ${name}`, type);
  const platform: PlatformPort = (host) => ask(`platform ${host}`, 'A');
  return { dns, platform, asked };
};

const show = (host: Host): string => {
  if (host.t === 'bound') return host.ips.map((ip) => ip.replace(/^10\.0\.0\./, '')).join('+');
  return host.t === 'failed' ? host.cause : host.t;
};

const hosts = (m: Marbles, scripts: Readonly<Record<string, Script>>) => {
  const { asked, ...ports } = fake(m, scripts);
  const resolve = makeHosts(ports, m.env);
  return { asked, follow: (host: string) => resolve(host).pipe(map(show)) };
};

const SAID = { p: 'pending', n: 'neg', f: 'SERVFAIL', 1: '1', 2: '2', 3: '1+2' };

/** Chance draws 0: the delays after failures are 0.5 s, 1 s, 2 s, … */
const told = (title: string, body: (m: Marbles) => void): void => {
  test(title, () => marbles(body, { random: 0 }));
};

told('a host is asked for again when its answer has lived as long as it may', (m) => {
  const { follow } = hosts(m, { 'A a.b': ['1 30', '1+2 20', '2 60'], 'AAAA a.b': ['- 60'] });
  m.expect(follow('a.b'), '^ 70s !').toBe('p1 30000ms 3 20000ms 2', SAID);
});

told('both families count, and the shorter life', (m) => {
  const { follow } = hosts(m, { 'A a.b': ['1 30'], 'AAAA a.b': ['7 10', '8 10'] });
  m.expect(follow('a.b'), '^ 15s !').toBe('pa 9999ms -b', {
    p: 'pending',
    a: '1+fd00::7',
    b: '1+fd00::8',
  });
});

told('a family that fails keeps what was known of it', (m) => {
  const { follow } = hosts(m, { 'A a.b': ['1 10', '2 10'], 'AAAA a.b': ['7 10', '!'] });
  m.expect(follow('a.b'), '^ 15s !').toBe('pa 9999ms -b', {
    p: 'pending',
    a: '1+fd00::7',
    b: '2+fd00::7',
  });
});

told('a life below a second is a second, and one over five minutes is five', (m) => {
  const { follow, asked } = hosts(m, { 'A a.b': ['1 0', '1 99999'] });
  m.expect(follow('a.b'), '^ 302s !').toBe('p1', SAID);
  m.flush();
  assert.equal(asked.filter((one) => one === 'A a.b').length, 3);
});

told('failures are retried with growing delays', (m) => {
  const { follow, asked } = hosts(m, {
    'A a.b': ['!', '!', '!', '1 60'],
    'AAAA a.b': ['!', '!', '!', '- 60'],
  });
  m.expect(follow('a.b'), '^ 10s !').toBe('pf 3502ms 1', SAID);
  m.flush();
  assert.equal(asked.length, 8);
});

told('what DNS does not know is asked of the platform, a name without a dot of it alone', (m) => {
  const { follow, asked } = hosts(m, { 'platform a.b': ['1 5', '2 5'], 'platform db': ['- 5'] });
  m.expect(follow('a.b'), '^ 6s !').toBe('p-1 4999ms --2', SAID);
  m.expect(follow('db'), '^ 1s !').toBe('pn', SAID);
  m.flush();
  assert.ok(!asked.includes('A db'));
});

told('addresses and localhost are known without asking', (m) => {
  const { follow, asked } = hosts(m, {});
  m.expect(follow('10.0.0.1'), '^ 1s !').toBe('(1|)', SAID);
  m.expect(follow('localhost'), '^ 1s !').toBe('(l|)', { l: '127.0.0.1' });
  m.flush();
  assert.deepEqual(asked, []);
});

told('hosts and ports as names', (m) => {
  const { dns, platform } = fake(m, { 'A a.b': ['1+2 60'], 'A no.such': ['- 60'] });
  const inet = makeInet(makeHosts({ dns, platform }, m.env));
  const follow = (path: string) => showBinding(inet(path as Path));
  m.expect(follow('/a.b/80/more'), '^ 1s !').toBe('pa', {
    p: 'pending',
    a: '10.0.0.1:80, 10.0.0.2:80',
  });
  m.expect(follow('/no.such/80'), '^ 1s !').toBe('p-n', SAID);
  m.expect(follow('/10.0.0.1/80')).toBe('(a|)', { a: '10.0.0.1:80' });
  m.expect(follow('/127.1/80')).toBe('(a|)', { a: '127.0.0.1:80' });
  m.expect(follow('/::1/80')).toBe('(a|)', { a: '[::1]:80' });
  m.expect(follow('/\\x5b\\x3a\\x3a\\x31\\x5d/80')).toBe('(a|)', { a: '[::1]:80' });
  for (const wrong of ['/a.b/0', '/a.b/65536', '/a.b/http', '/a\\x20b/80'])
    m.expect(follow(wrong)).toBe('(n|)', SAID);
  const f = 'failed expected /$/inet/host/port, got /$/inet/a.b';
  m.expect(follow('/a.b')).toBe('(f|)', { f });
});

const service = (m: Marbles, scripts: Readonly<Record<string, Script>>, every?: number) => {
  const { asked, dns, platform } = fake(m, scripts);
  const resolve = makeHosts({ dns, platform }, m.env);
  const config = {
    kind: 'io.l5d.dnssrv',
    prefix: '/io.l5d.dnssrv' as Path,
    domain: undefined,
    dnsHosts: undefined,
    refreshIntervalSeconds: every,
  } as const;
  const namer = makeDnsSrv({ config, prefix: '/#/io.l5d.dnssrv' as Path, dns, resolve }, m.env);
  return { asked, told$: showBinding(namer('/_s._tcp.x' as Path)) };
};

const ADDRESSES = { 'A a.x': ['1 300'], 'A b.x': ['2 300'], 'A c.x': ['3 300'] };

told('the first tier that has an address counts, by its weights', (m) => {
  const { told$ } = service(m, {
    ...ADDRESSES,
    'SRV _s._tcp.x': ['a.x/80/1/9+b.x/80/1/1+c.x/80/2/5 60'],
  });
  m.expect(told$, '^ 1s !').toBe('p-a', {
    p: 'pending',
    a: '10.0.0.1:80 * 9, 10.0.0.2:80',
  });
});

told('while a tier has none the next one stands in', (m) => {
  const { told$ } = service(m, {
    ...ADDRESSES,
    'A a.x': ['- 5', '1 300'],
    'platform a.x': ['- 5'],
    'SRV _s._tcp.x': ['a.x/80/1/1+c.x/81/2/1 60'],
  });
  m.expect(told$, '^ 10s !').toBe('p--a 5000ms b', {
    p: 'pending',
    a: '10.0.0.3:81',
    b: '10.0.0.1:80',
  });
});

told('equal weights of 0 are equal shares, one of 0 beside others is next to nothing', (m) => {
  const even = service(m, { ...ADDRESSES, 'SRV _s._tcp.x': ['a.x/80/1/0+b.x/80/1/0 60'] });
  const odd = service(m, { ...ADDRESSES, 'SRV _s._tcp.x': ['a.x/80/1/0+b.x/80/1/10 60'] });
  const said = {
    p: 'pending',
    a: '10.0.0.1:80, 10.0.0.2:80',
    b: '10.0.0.1:80 * 0.01, 10.0.0.2:80 * 10',
  };
  m.expect(even.told$, '^ 1s !').toBe('p-a', said);
  m.expect(odd.told$, '^ 1s !').toBe('p-b', said);
});

told(
  'a service that goes is neg, one that fails is told to have failed, one at the root has nobody',
  (m) => {
    const script = ['a.x/80/1/1 5', '!', '- 5', '/0/0/0 60'];
    const { told$ } = service(m, { ...ADDRESSES, 'SRV _s._tcp.x': script });
    m.expect(told$, '^ 20s !').toBe('p-a 4999ms f 500ms n 5000ms o', {
      p: 'pending',
      q: 'pending',
      a: '10.0.0.1:80',
      f: 'failed SERVFAIL',
      n: 'neg',
      o: 'nobody',
    });
  },
);

told('it is asked for again by its life, or as often as was configured', (m) => {
  const scripts = { ...ADDRESSES, 'SRV _s._tcp.x': ['a.x/80/1/1 20'] };
  const [free, fixed] = [service(m, scripts), service(m, scripts, 5)];
  for (const { told$ } of [free, fixed])
    m.expect(told$, '^ 41s !').toBe('p-a', { p: 'pending', a: '10.0.0.1:80' });
  m.flush();
  const count = (asked: readonly string[]): number =>
    asked.filter((one) => one.startsWith('SRV')).length;
  assert.deepEqual([count(free.asked), count(fixed.asked)], [3, 9]);
});

test('names that nobody can list are none, and who watches them is not sent away', () =>
  marbles((m) => {
    const config = {
      kind: 'io.l5d.dnssrv',
      prefix: '/io.l5d.dnssrv' as Path,
      domain: undefined,
      dnsHosts: undefined,
      refreshIntervalSeconds: undefined,
    } as const;
    for (const configs of [[], [config]])
      m.expect(boundNames(configs, m.env).pipe(map(String)), '1s !').toBe('n', { n: '' });
  }));
