/** A 1 GB file behind the daemon: whole, for a fast reader and for one that is slow on purpose. */
import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { findProgram, makeScope, succeed, temporaryFolder } from '../support/process.ts';
import { route } from '../support/route.ts';
import { startNginx } from '../support/servers.ts';

const SIZE = 2 ** 30;
const BLOCK = Buffer.alloc(2 ** 20);
const SLOW_BYTES = 24 * 2 ** 20;
const scope = makeScope({ after });
let daemon: Daemon;
let direct: string;
let proxied: string;
let whole: string;
let part: string;

/** Writes bytes in which no two blocks are equal, and gives the checksums of all and of the first part. */
const writeFileOf = async (path: string): Promise<readonly [string, string]> => {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  const [all, first] = [createHash('sha256'), createHash('sha256')];
  function* blocks(): Generator<Buffer> {
    for (let written = 0; written < SIZE; written += BLOCK.length) {
      const block = cipher.update(BLOCK);
      all.update(block);
      if (written < SLOW_BYTES) first.update(block);
      yield block;
    }
  }
  await pipeline(Readable.from(blocks()), createWriteStream(path));
  return [all.digest('hex'), first.digest('hex')];
};

before(async () => {
  const folder = await temporaryFolder(scope);
  [whole, part] = await writeFileOf(join(folder, 'big'));
  const nginx = await startNginx(scope, folder);
  daemon = await startDaemon(scope, { routers: [route('web', [nginx.port])] });
  direct = `http://127.0.0.1:${nginx.port}/big`;
  proxied = `http://127.0.0.1:${daemon.ports[0]}/big`;
});

/** The SHA-256 of what curl read. */
const fetched = async (url: string, ...options: readonly string[]): Promise<string> => {
  const script = 'set -e; "$0" -sSf "$@" | sha256sum';
  const output = await succeed(['bash', '-o', 'pipefail', '-c', script, curl(), ...options, url]);
  return output.slice(0, 64);
};

const curl = (): string => findProgram('curl');

/** Most memory that the daemon ever held, in bytes. */
const peakMemory = (): number => {
  const [, kilobytes] =
    /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
};

test('the checksum holds without the daemon', async () => {
  assert.equal(await fetched(direct), whole);
});

test('the checksum holds for fast readers, while a slow one reads, in bounded memory', async () => {
  const slow = fetched(proxied, '--limit-rate', '4M', '-r', `0-${SLOW_BYTES - 1}`);
  assert.equal(await fetched(proxied), whole);
  assert.deepEqual(await Promise.all([fetched(proxied), fetched(proxied)]), [whole, whole]);
  assert.equal(await slow, part);
  assert.ok(peakMemory() < 300 * 2 ** 20, `${peakMemory()} bytes`);
});

test('a reader that leaves in the middle leaves nothing behind', async () => {
  const before = daemon.descriptors();
  await Promise.all(
    Array.from({ length: 20 }, () =>
      succeed(['sh', '-c', '"$0" -s "$1" | head -c 1000000 >/dev/null', curl(), proxied]),
    ),
  );
  await succeed([curl(), '-sSf', '-r', '0-9', proxied]);
  await eventually('descriptors are back', () => daemon.descriptors() <= before);
});
