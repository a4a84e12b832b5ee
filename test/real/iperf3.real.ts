/** iperf3 through the daemon: a control connection and parallel data streams that half-close at the end. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { findProgram, freePort, makeScope, startService, succeed } from '../support/process.ts';
import { route } from '../support/route.ts';

const scope = makeScope({ after });
let daemon: Daemon;

before(async () => {
  const port = await freePort();
  const server = [findProgram('iperf3'), '-s', '-B', '127.0.0.1', '-p', String(port)];
  await startService(scope, server, { port });
  daemon = await startDaemon(scope, { routers: [route('iperf', [port])] });
});

interface Report {
  readonly error?: string;
  readonly end: {
    readonly streams: readonly { readonly receiver: { readonly bytes: number } }[];
  };
}

/** Runs iperf3 for two seconds, and gives the bytes that the receiver counted for each stream. */
const measure = async (...options: readonly string[]): Promise<readonly number[]> => {
  const target = ['-c', '127.0.0.1', '-p', String(daemon.ports[0])];
  const output = await succeed([findProgram('iperf3'), ...target, '-t', '2', '-J', ...options]);
  const report: Report = JSON.parse(output);
  assert.equal(report.error, undefined);
  return report.end.streams.map(({ receiver }) => receiver.bytes);
};

for (const options of [[], ['-R'], ['-P', '8'], ['-P', '8', '-R'], ['--bidir']]) {
  test(`iperf3 ${options.join(' ')} ends in order and moves data on each stream`, async () => {
    const bytes = await measure(...options);
    const wanted = options.includes('-P') ? 8 : options.includes('--bidir') ? 2 : 1;
    assert.equal(bytes.length, wanted);
    for (const count of bytes) assert.ok(count > 0, `${bytes}`);
  });
}

test('nothing stays open afterwards', async () => {
  await eventually('no stream is open', async () => {
    const [router] = await daemon.routers();
    return router?.names[0]?.endpoints[0]?.open === 0;
  });
});
