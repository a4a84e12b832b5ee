/** How much sockets read in one turn of the event loop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandleSocket } from '../src/socket/handle-socket.ts';
import { Memory, SHARED_BYTES } from '../src/socket/memory.ts';
import { TlsSocket } from '../src/socket/tls-socket.ts';
import { type FakeHandle, FakeNative } from './support/fake-handle.ts';
import { FAKE_TERMS, FakeTlsNative } from './support/fake-tls.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const nothing = (): void => undefined;

/** What the sockets of a process share, and the next turn of its loop. */
const makeLoop = (native = new FakeNative()) => {
  const soon: (() => void)[] = [];
  const memory = new Memory(native, (task) => soon.push(task), { held: 0 });
  const next = (): void => {
    for (const task of soon.splice(0)) task();
  };
  return { native, memory, next, waiting: () => soon.length };
};

/** How much each of these reads in the next turn. */
const turns = (handles: readonly FakeHandle[], next: () => void) => (): number[] => {
  next();
  const before = handles.map(({ heard }) => heard);
  for (const handle of handles) handle.poll();
  return handles.map(({ heard }, i) => heard - (before[i] ?? 0));
};

/** Sockets that always have more to read, into memory of their own. */
const busy = (count: number) => {
  const { native, memory, next } = makeLoop();
  const lease = Buffer.alloc(MIB);
  const handles = Array.from({ length: count }, () => {
    const handle = native.makeTcp();
    handle.arrive(Buffer.alloc(24 * MIB));
    const socket = new HandleSocket(handle, memory);
    socket.readInto(lease);
    socket.read();
    return handle;
  });
  return { turn: turns(handles, next) };
};

/** The same over TLS, of peers that put so much into a record. */
const busyTls = (count: number, recordBytes: number) => {
  const native = new FakeTlsNative(recordBytes);
  const { memory, next } = makeLoop(native);
  const sockets = Array.from({ length: count }, () => {
    const parts = { terms: FAKE_TERMS, memory, tcp: native.makeTcp(), released: nothing };
    const socket = new TlsSocket(parts, { said: [], done: nothing });
    socket.shaken();
    socket.read();
    return socket;
  });
  for (const handle of native.wrapped) handle.arrive(Buffer.alloc(6 * MIB));
  return { sockets, handles: native.wrapped, turn: turns(native.wrapped, next) };
};

test('a socket reads 4 MiB in a turn, and goes on in the next', () => {
  const { turn } = busy(2);
  assert.deepEqual(turn(), [4 * MIB, 4 * MIB]);
  assert.deepEqual(turn(), [4 * MIB, 4 * MIB]);
});

test('when all have read 16 MiB in a turn, the others read once', () => {
  const { turn } = busy(7);
  const first = [4, 4, 4, 4, 1, 1, 1].map((mib) => mib * MIB);
  assert.deepEqual(turn(), first);
  assert.deepEqual(turn(), first);
});

test('what is read in one turn does not count in another', () => {
  const { native, memory, next } = makeLoop();
  const handle = native.makeTcp();
  new HandleSocket(handle, memory).read();
  for (let i = 0; i < 5; i++) {
    handle.arrive(Buffer.alloc(2 * MIB));
    handle.poll();
    next();
    // Its reads are short, and 32 are half a MiB.
    for (let j = 0; j < 3; j++) handle.poll();
    assert.equal(handle.heard, 2 * MIB * (i + 1));
    next();
  }
});

test('few bytes do not even wait for the end of the turn', () => {
  const { native, memory, waiting } = makeLoop();
  const handle = native.makeTcp();
  new HandleSocket(handle, memory).read();
  handle.arrive(Buffer.alloc(200 * KIB));
  handle.poll();
  assert.equal(waiting(), 0);
  handle.arrive(Buffer.alloc(100 * KIB));
  handle.poll();
  assert.equal(waiting(), 1);
});

test('one that pauses meanwhile reads when it is wanted to, and not before the next turn', () => {
  const { native, memory, next } = makeLoop();
  const handle = native.makeTcp();
  handle.arrive(Buffer.alloc(5 * MIB));
  const socket = new HandleSocket(handle, memory);
  socket.readInto(SHARED_BYTES);
  socket.read();
  for (let i = 0; i < 2; i++) handle.poll();
  assert.equal(handle.heard, 64 * SHARED_BYTES);
  socket.pause();
  next();
  handle.poll();
  assert.equal(handle.heard, 64 * SHARED_BYTES);
  socket.read();
  handle.poll();
  assert.equal(handle.heard, 5 * MIB);
});

test('over TLS a byte takes three times as much, and a record of a byte as much as 16 KiB', () => {
  const whole = busyTls(4, 16 * KIB).turn;
  for (let i = 0; i < 2; i++)
    for (const bytes of whole()) assert.equal(Math.ceil(bytes / MIB), 2, `${bytes} of 4 MiB`);
  const [least = 0] = busyTls(1, KIB).turn();
  assert.equal(Math.ceil(least / KIB), Math.ceil((4 * MIB) / (16 * KIB + 2 * KIB)));
});

test('when all have read their part of a turn, TLS sockets read a record each', () => {
  const { turn } = busyTls(6, 16 * KIB);
  const [, , , , fifth, sixth] = turn();
  assert.deepEqual([fifth, sixth], [16 * KIB, 16 * KIB]);
});

test('a TLS socket that rests is begun by nobody, and one that was paused meanwhile not by the next turn', () => {
  const { sockets, handles, turn } = busyTls(1, 16 * KIB);
  const [[socket], [handle]] = [sockets, handles];
  assert.ok(socket && handle);
  turn();
  const { heard } = handle;
  socket.read();
  handle.poll();
  assert.equal(handle.heard, heard);
  socket.pause();
  assert.deepEqual(turn(), [0]);
  socket.read();
  assert.notDeepEqual(turn(), [0]);
});
