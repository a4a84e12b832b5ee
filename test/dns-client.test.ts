/** The DNS client against a server of our own: answers, silence, lies, and what is too long for UDP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, encode } from 'dns-packet';
import fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { makeDns, makePlatform } from '../src/interpreter/dns/client.ts';
import { decodeAnswer, encodeQuestion } from '../src/interpreter/dns/message.ts';
import type { Question } from '../src/interpreter/dns/port.ts';
import { startDns } from './support/dns-double.ts';
import { REAL } from './support/naming.ts';

const A: Question = { name: 'web.example', type: 'A' };
const SRV: Question = { name: '_web._tcp.example', type: 'SRV' };

const a = (data: string, ttl = 60, name = 'web.example'): Answer => ({
  type: 'A',
  name,
  ttl,
  data,
});

const cname = (name: string, data: string, ttl = 60): Answer => ({
  type: 'CNAME',
  name,
  ttl,
  data,
});

const srv = (target: string, port: number, priority = 0, weight = 0): Answer => ({
  type: 'SRV',
  name: SRV.name,
  ttl: 30,
  data: { target, port, priority, weight },
});

const found = (ips: readonly string[], ttlSecs: number) => ({ t: 'found', ips, srvs: [], ttlSecs });

test('addresses come with the shortest life of all that they rest on', async (context) => {
  const dns = await startDns(context);
  const ask = makeDns(REAL, [dns.server]);
  dns.replies.set('A web.example', [
    cname('web.example', 'Edge.Example', 7),
    a('10.0.0.1', 60, 'edge.example'),
    a('10.0.0.2', 9, 'edge.example'),
    a('10.6.6.6', 1, 'evil.example'),
  ]);
  assert.deepEqual(await firstValueFrom(ask(A)), found(['10.0.0.1', '10.0.0.2'], 7));
});

test('services come with their targets in lower case', async (context) => {
  const dns = await startDns(context);
  dns.replies.set(`SRV ${SRV.name}`, [srv('A.Example.', 80, 1, 5), srv('.', 0)]);
  const answer = await firstValueFrom(makeDns(REAL, [dns.server])(SRV));
  assert.ok(answer.t === 'found');
  assert.deepEqual(answer.srvs, [
    { priority: 1, weight: 5, port: 80, target: 'a.example' },
    { priority: 0, weight: 0, port: 0, target: '' },
  ]);
});

test('a name that does not exist, and one without what is asked for, are none', async (context) => {
  const dns = await startDns(context);
  const ask = makeDns(REAL, [dns.server]);
  assert.equal((await firstValueFrom(ask(A))).t, 'none');
  dns.replies.set('A web.example', []);
  assert.equal((await firstValueFrom(ask(A))).t, 'none');
});

test('a chain of names is followed in whatever order it comes', async (context) => {
  const dns = await startDns(context);
  const link = (i: number): string => (i === 0 ? A.name : `n${i}`);
  const chain = Array.from({ length: 1000 }, (_, i) => cname(link(i), link(i + 1)));
  dns.replies.set('A web.example', [a('10.0.0.1', 60, link(1000)), ...chain.reverse()]);
  assert.deepEqual(await firstValueFrom(makeDns(REAL, [dns.server])(A)), found(['10.0.0.1'], 60));
});

test('a server that knows nothing and asks nobody has not said that there is nothing', () => {
  const question = { type: 'A', name: A.name } as const;
  const [recursive, authoritative] = [0x0080, 0x0400];
  const told = (flags: number, answers: Answer[] = []): unknown =>
    decodeAnswer(encode({ type: 'response', id: 1, flags, questions: [question], answers }), A, 1);
  const lame = { t: 'failed', cause: 'a server that looks no names up for others' };
  assert.deepEqual(told(0), lame);
  for (const flags of [recursive, authoritative])
    assert.deepEqual(told(flags), { t: 'none', ttlSecs: 5 });
  assert.deepEqual(told(0, [a('10.0.0.1')]), found(['10.0.0.1'], 60));
});

test('an answer that is too long for UDP is asked for by TCP', async (context) => {
  const dns = await startDns(context);
  const ips = Array.from({ length: 400 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  dns.replies.set(
    'A web.example',
    ips.map((ip) => a(ip)),
  );
  assert.deepEqual(await firstValueFrom(makeDns(REAL, [dns.server])(A)), found(ips, 60));
  assert.deepEqual(dns.asked, ['udp A web.example', 'tcp A web.example']);
});

test('where one server fails the next is asked, and the last failure is told', async (context) => {
  const [bad, good] = [await startDns(context), await startDns(context)];
  bad.replies.set('A web.example', 'SERVFAIL');
  good.replies.set('A web.example', [a('10.0.0.1')]);
  const both = makeDns(REAL, [bad.server, good.server]);
  assert.deepEqual(await firstValueFrom(both(A)), found(['10.0.0.1'], 60));
  const answer = await firstValueFrom(makeDns(REAL, [bad.server])(A));
  assert.deepEqual(answer, { t: 'failed', cause: `DNS at ${bad.server}: SERVFAIL` });
});

test('a server that is not there is told as such', async (context) => {
  const dns = await startDns(context);
  const { server } = dns;
  const other = await startDns(context);
  other.replies.set('A web.example', [a('10.0.0.1')]);
  dns.replies.set('A web.example', 'garbage');
  const answer = await firstValueFrom(makeDns(REAL, [server, other.server])(A));
  assert.deepEqual(answer, found(['10.0.0.1'], 60));
});

test('where a server cannot be sent to the next is asked', async (context) => {
  const dns = await startDns(context);
  dns.replies.set('A web.example', [a('10.0.0.1')]);
  // Nobody may connect to the broadcast address unless it was asked for.
  const answer = await firstValueFrom(makeDns(REAL, ['255.255.255.255', dns.server])(A));
  assert.deepEqual(answer, found(['10.0.0.1'], 60));
});

test('the platform knows its own name, and what does not exist', async () => {
  const platform = makePlatform();
  const known = await firstValueFrom(platform('localhost'));
  assert.ok(known.t === 'found' && known.ips.some((ip) => ip === '127.0.0.1' || ip === '::1'));
});

test('what is about another question, or has another number, is not heard', () => {
  const id = 7;
  const reply = (changed: object): Uint8Array =>
    encode({
      type: 'response',
      id,
      flags: 0x8180,
      questions: [{ type: 'A', name: 'web.example' }],
      answers: [a('10.0.0.1')],
      ...changed,
    });
  assert.deepEqual(decodeAnswer(reply({}), A, id), found(['10.0.0.1'], 60));
  for (const changed of [
    { id: 8 },
    { type: 'query' },
    { questions: [] },
    { questions: [{ type: 'A', name: 'other.example' }] },
    { questions: [{ type: 'AAAA', name: 'web.example' }] },
  ])
    assert.equal(decodeAnswer(reply(changed), A, id), undefined);
});

test('no bytes make it throw or run on', () => {
  const good = encodeQuestion(A, 1);
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
      const broken = Uint8Array.from(good);
      broken[at] = byte;
      return broken;
    }),
  );
  fc.assert(
    fc.property(bytes, (some) => void decodeAnswer(some, A, 1)),
    { numRuns: 3000 },
  );
});

test('names that stand for each other in a circle come to an end', () => {
  const answers = [cname('web.example', 'b.example'), cname('b.example', 'web.example')];
  const questions = [{ type: 'A', name: 'web.example' }] as const;
  const bytes = encode({
    type: 'response',
    id: 1,
    flags: 0x8180,
    questions: [...questions],
    answers,
  });
  const answer = decodeAnswer(bytes, A, 1);
  assert.ok(typeof answer === 'object' && answer.t === 'none');
});
