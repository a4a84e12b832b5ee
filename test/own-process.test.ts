/** What is done to the process: by a daemon and its workers, to which it belongs, and not by whoever runs routers inside their own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { filter, firstValueFrom, merge, NEVER, of, share } from 'rxjs';
import { runRouters } from '../src/embed.ts';
import { FIRST_SIZE, tableSize } from '../src/server/descriptor-table.ts';
import { connectionDescriptors } from '../src/server/fd-limit.ts';
import { loadUnopened } from '../src/testing/unopened.ts';
import { startDaemon } from './support/daemon.ts';
import { eventually } from './support/eventually.ts';
import { makeScope } from './support/process.ts';
import { turn } from './support/sockets.ts';
import { workersOf } from './support/worker-processes.ts';

/** Turns of the loop in which the table would have grown. */
const MANY = 200;

const sizeOf = (pid: number | 'self'): number =>
  tableSize(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? 0;

const ROUTERS = [
  {
    label: 'a',
    interpreter: { kind: 'static', names: {} },
    servers: [{ port: 0, dstName: '/svc/a' }],
  },
];

/** Where a process may not have so many descriptors, nothing grows. */
const skip = process.platform !== 'linux' || connectionDescriptors() < 2 * FIRST_SIZE;

test('a daemon’s descriptor table is kept ahead, and those of its workers', {
  skip,
}, async (t) => {
  const alone = await startDaemon(makeScope(t), { routers: ROUTERS });
  await eventually('a larger table', () => sizeOf(alone.pid) >= FIRST_SIZE);
  const daemon = await startDaemon(makeScope(t), { workers: 2, routers: ROUTERS });
  const workers = workersOf(daemon);
  assert.equal(workers.length, 2);
  for (const worker of workers)
    await eventually('a larger table', () => sizeOf(worker) >= FIRST_SIZE);
});

test('that of a process with routers inside is left alone', { skip }, async (t) => {
  const before = sizeOf('self');
  const config = loadUnopened({ log: { level: 'error' }, routers: ROUTERS });
  const event$ = runRouters({ config$: merge(of(config), NEVER) }).pipe(share());
  const listening = firstValueFrom(event$.pipe(filter((event) => event.t === 'listening')));
  const running = event$.subscribe();
  t.after(() => running.unsubscribe());
  await listening;
  for (let i = 0; i < MANY; i++) await turn();
  assert.equal(sizeOf('self'), before);
});
