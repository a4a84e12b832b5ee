/** ClientHellos byte by byte, well-formed or not, and readers that get them cut in every way. */
import assert from 'node:assert/strict';
import type { ClientHello } from '../../src/client-hello/hello.ts';
import { type HelloOutcome, HelloReader } from '../../src/client-hello/read.ts';

/** A number of `size` bytes, big-endian. */
export const number = (size: number, value: number): Buffer => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
};

/** A length of `size` bytes, then the parts. */
export const vector = (size: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([number(size, body.length), body]);
};

/** An extension of any type. */
export const extension = (type: number, data: Uint8Array = Buffer.alloc(0)): Buffer =>
  Buffer.concat([number(2, type), vector(2, data)]);

/** One name of a server_name extension; 0 is the type of a host name. */
export const name = (host: string | Uint8Array, type = 0): Buffer =>
  Buffer.concat([number(1, type), vector(2, Buffer.from(host))]);

/** server_name with these names. */
export const serverName = (...names: readonly Uint8Array[]): Buffer =>
  extension(0, vector(2, ...names));

/** server_name with one host name. */
export const sni = (host: string | Uint8Array): Buffer => serverName(name(host));

/** application_layer_protocol_negotiation with these protocols. */
export const alpn = (...protocols: readonly (string | Uint8Array)[]): Buffer =>
  extension(16, vector(2, ...protocols.map((protocol) => vector(1, Buffer.from(protocol)))));

/** supported_versions with these codes. */
export const versions = (...codes: readonly number[]): Buffer =>
  extension(43, vector(1, ...codes.map((code) => number(2, code))));

/** What a ClientHello is made of. */
export interface Parts {
  readonly legacy?: number;
  readonly sessionId?: number;
  readonly suites?: readonly number[];
  readonly compressions?: readonly number[];
  /** Absent: there is not even a list of extensions. */
  readonly extensions?: readonly Uint8Array[];
}

/** The message's body, without its head. */
export const body = (parts: Parts): Buffer => {
  const { legacy = 0x0303, sessionId = 32, suites = [0x1301, 0xc02f], compressions = [0] } = parts;
  return Buffer.concat([
    number(2, legacy),
    Buffer.alloc(32, 0xab),
    vector(1, Buffer.alloc(sessionId, 0xcd)),
    vector(2, ...suites.map((suite) => number(2, suite))),
    vector(1, Buffer.from(compressions)),
    ...(parts.extensions === undefined ? [] : [vector(2, ...parts.extensions)]),
  ]);
};

/** A message: its head, whose type is 1 for a ClientHello, and its body. */
export const message = (content: Uint8Array, type = 1): Buffer =>
  Buffer.concat([number(1, type), vector(3, content)]);

/** One record; 22 is the type of handshakes. */
export const record = (payload: Uint8Array, version = 0x0301, type = 22): Buffer =>
  Buffer.concat([number(1, type), number(2, version), vector(2, payload)]);

/** Records of `size` bytes each, the last of the rest. */
export const records = (whole: Uint8Array, size: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
      record(whole.subarray(i * size, (i + 1) * size)),
    ),
  );

/** A whole ClientHello in one record. */
export const hello = (parts: Parts): Buffer => record(message(body(parts)));

/** The outcome of pieces that arrive one after the other; nothing after a final outcome changes it. */
export const readPieces = (
  pieces: readonly Uint8Array[],
  reader = new HelloReader(),
): HelloOutcome => {
  let outcome: HelloOutcome = { t: 'more' };
  for (const piece of pieces) {
    const next = reader.push(piece);
    if (outcome.t !== 'more') assert.equal(next, outcome);
    outcome = next;
  }
  return outcome;
};

/** The bytes one by one. */
export const eachByte = (bytes: Uint8Array): readonly Uint8Array[] =>
  Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));

/** The outcome of bytes, which is the same whole, byte by byte and cut in two anywhere. */
export const read = (bytes: Uint8Array): HelloOutcome => {
  const outcome = readPieces([bytes]);
  assert.deepEqual(readPieces(eachByte(bytes)), outcome, 'byte by byte');
  for (let cut = 1; cut < bytes.length; cut++)
    assert.deepEqual(
      readPieces([bytes.subarray(0, cut), bytes.subarray(cut)]),
      outcome,
      `cut at ${cut}`,
    );
  return outcome;
};

/** How many bytes it takes until the outcome is final; all are given one by one. */
export const bytesUntilFinal = (bytes: Uint8Array): number => {
  const reader = new HelloReader();
  return 1 + eachByte(bytes).findIndex((byte) => reader.push(byte).t !== 'more');
};

/** What a message says, which is the same in one record, in one for each byte, and in two cut anywhere. */
export const readMessage = (whole: Uint8Array): HelloOutcome => {
  const outcome = read(record(whole));
  assert.deepEqual(readPieces([records(whole, 1)]), outcome, 'a record for each byte');
  for (let cut = 1; cut < whole.length; cut++)
    assert.deepEqual(
      readPieces([record(whole.subarray(0, cut)), record(whole.subarray(cut))]),
      outcome,
      `records cut at ${cut}`,
    );
  return outcome;
};

/** The ClientHello that a message is, however it is cut. */
export const helloOf = (whole: Uint8Array): ClientHello => {
  const outcome = readMessage(whole);
  assert.ok(outcome.t === 'hello', JSON.stringify(outcome));
  return outcome.hello;
};
