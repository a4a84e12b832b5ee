/** Whatever a client sends, and however it is cut: no throw, no more memory than allowed, one outcome. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HelloReader } from '../src/client-hello/read.ts';
import {
  alpn,
  body,
  eachByte,
  extension,
  hello,
  message,
  number,
  readPieces,
  record,
  records,
  sni,
  versions,
} from './support/hello-bytes.ts';

const RUNS = { numRuns: 2000 };

/** Pieces of bytes; the sizes are taken in turn. */
const cut = (bytes: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = sizes[pieces.length % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
};

/** At least one size is above 0, so that cutting ends. */
const sizes = fc
  .array(fc.oneof(fc.nat(6), fc.nat(600)), { minLength: 1, maxLength: 12 })
  .filter((all) => all.some((size) => size > 0));

const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,8}[a-z0-9_])?$/);
const host = fc
  .tuple(fc.array(label, { maxLength: 4 }), fc.constantFrom('example', 'x-1', 'internal_'))
  .map(([labels, last]) => [...labels, last].join('.'));
const protocols = fc.uniqueArray(fc.stringMatching(/^[a-z]{3,8}\/[0-9]$/), {
  minLength: 1,
  maxLength: 5,
});
const CODES = { TLSv1: 0x0301, 'TLSv1.1': 0x0302, 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 } as const;
const NAMES = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const noise = fc.record({
  type: fc.integer({ min: 0x0a00, max: 0xf000 }),
  data: fc.uint8Array({ maxLength: 60 }),
});

/** A well-formed ClientHello, and what it says. */
const wellFormed = fc
  .record({
    host: fc.option(host, { nil: undefined }),
    protocols: fc.option(protocols, { nil: undefined }),
    offered: fc.option(fc.shuffledSubarray([...NAMES], { minLength: 1 }), { nil: undefined }),
    hasEch: fc.boolean(),
    noise: fc.uniqueArray(noise, { maxLength: 5, selector: ({ type }) => type }),
    sessionId: fc.nat(32),
    order: fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
  })
  .map((made) => {
    const all = [
      ...(made.host === undefined ? [] : [sni(made.host.toUpperCase())]),
      ...(made.protocols === undefined ? [] : [alpn(...made.protocols)]),
      ...(made.offered === undefined ? [] : [versions(...made.offered.map((name) => CODES[name]))]),
      ...(made.hasEch ? [extension(0xfe0d, Buffer.alloc(20))] : []),
      ...made.noise.map(({ type, data }) => extension(type, data)),
    ];
    const extensions = all
      .map((one, i) => ({ one, rank: made.order[i] ?? 0 }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ one }) => one);
    return {
      whole: message(body({ sessionId: made.sessionId, extensions })),
      said: {
        ...(made.host === undefined ? {} : { sni: made.host }),
        alpn: made.protocols ?? [],
        version: NAMES.findLast((name) => made.offered?.includes(name)) ?? 'TLSv1.2',
        hasEch: made.hasEch,
      },
    };
  });

test('a well-formed ClientHello says what was put in, however records and reads cut it', () => {
  fc.assert(
    fc.property(wellFormed, sizes, sizes, ({ whole, said }, ofRecords, ofReads) => {
      const framed = cut(whole, ofRecords).filter(({ length }) => length > 0);
      const bytes = Buffer.concat(framed.map((piece) => record(piece)));
      assert.deepEqual(readPieces(cut(bytes, ofReads)), { t: 'hello', hello: said });
    }),
    RUNS,
  );
});

/** Bytes in which some are replaced, taken out or put in. */
const mutated = fc
  .tuple(
    wellFormed,
    fc.integer({ min: 1, max: 600 }),
    fc.array(fc.record({ at: fc.nat(), gone: fc.nat(2), put: fc.uint8Array({ maxLength: 2 }) }), {
      maxLength: 4,
    }),
  )
  .map(([{ whole }, size, edits]) => {
    const bytes = [...records(whole, size)];
    for (const { at, gone, put } of edits) bytes.splice(at % bytes.length, gone, ...put);
    return Uint8Array.from(bytes);
  });

const anyBytes = fc.oneof(
  mutated,
  mutated,
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => record(message(bytes))),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => hello({ extensions: [bytes] })),
);

test('any bytes have one outcome however they are cut, and memory stays within the limit', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      anyBytes,
      sizes,
      fc.oneof(fc.constant(65_536), fc.integer({ min: 4, max: 400 })),
      (bytes, ofReads, most) => {
        const outcome = readPieces([bytes], new HelloReader(most));
        const reader = new HelloReader(most);
        for (const piece of cut(bytes, ofReads)) {
          reader.push(piece);
          assert.ok(reader.held <= most, `${reader.held} of ${most} bytes`);
        }
        assert.deepEqual(reader.push(Buffer.alloc(0)), outcome);
        if (outcome.t !== 'more') assert.equal(reader.held, 0);
        seen.add(outcome.t);
      },
    ),
    RUNS,
  );
  assert.deepEqual([...seen].sort(), ['bad', 'hello', 'more', 'plain', 'too-big']);
});

test('the reader keeps no piece: their memory may be used again at once', () => {
  fc.assert(
    fc.property(wellFormed, sizes, ({ whole, said }, ofReads) => {
      const reader = new HelloReader();
      for (const piece of cut(record(whole), ofReads)) {
        reader.push(piece);
        piece.fill(0xee);
      }
      assert.deepEqual(reader.push(Buffer.alloc(0)), { t: 'hello', hello: said });
    }),
  );
});

test('64 KiB in pieces of one byte, in records of one byte: memory is made a few times, twice as much each', () => {
  const names = [sni('shop.example'), alpn('h2')];
  const padding = 65_536 - hello({ extensions: [...names, extension(21)] }).length + 5;
  const whole = message(body({ extensions: [extension(21, Buffer.alloc(padding)), ...names] }));
  assert.equal(whole.length, 65_536);
  const reader = new HelloReader();
  const rooms = new Set<number>();
  for (const piece of eachByte(records(whole.subarray(0, -1), 1))) {
    assert.equal(reader.push(piece).t, 'more');
    rooms.add(reader.held);
  }
  const made = [...rooms].reduce((sum, room) => sum + room, 0);
  assert.ok(made <= 2 * 65_536, `${made} bytes in ${rooms.size} pieces`);
  assert.equal(Math.max(...rooms), 65_536);
  assert.deepEqual(reader.push(record(whole.subarray(-1))), {
    t: 'hello',
    hello: { sni: 'shop.example', alpn: ['h2'], version: 'TLSv1.2', hasEch: false },
  });
});

test('a client that claims much and sends little costs little', () => {
  const reader = new HelloReader();
  const claim = record(Buffer.concat([number(1, 1), number(3, 65_000), Buffer.alloc(100)]));
  assert.equal(reader.push(claim).t, 'more');
  assert.ok(reader.held <= 256, `${reader.held} bytes`);
});
