/**
 * A proxy of one server and one endpoint that is nothing but our socket pipe, with the limits as shipped, to tell
 * what the pipe costs from what the rest does: `npm run bench -- duplex`. Started as `bare.ts` is.
 */
import { createServer } from 'node:net';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { makeAddress } from '../../src/address.ts';
import { BufferBudget } from '../../src/duplex/budget.ts';
import { openDuplex } from '../../src/duplex/duplex.ts';
import { fresh } from '../../src/socket/read-ahead.ts';
import { makeSockets, SERVER_OPTIONS } from '../../src/socket/sockets.ts';
import { makeTimers } from '../../src/timers.ts';

const HOST = '127.0.0.1';
const scheduler: SchedulerLike = {
  now: () => performance.now(),
  schedule: asyncScheduler.schedule.bind(asyncScheduler),
};
const timers = makeTimers(scheduler);
const sockets = makeSockets({ timers, soon: setImmediate, account: { held: 0 } });
const options = {
  limits: {
    idleTimeoutMs: Number.POSITIVE_INFINITY,
    lifetimeMs: Number.POSITIVE_INFINITY,
    halfCloseTimeoutMs: 60_000,
    resetLingerMs: 100,
    bufferSizeBytes: 1_048_576,
    place: 'bench',
  },
  timers,
  budget: new BufferBudget(256 * 1024 * 1024, timers),
  answered: () => undefined,
  closed: () => undefined,
};
const target = makeAddress(HOST, Number(process.argv[2]));
const server = createServer(SERVER_OPTIONS);
server.listen({ host: HOST, port: 0, backlog: 511 }, () => {
  sockets.accept(server, (client) => {
    const endpoint = sockets.dial(target, (code) => {
      if (code === undefined) openDuplex(fresh(client), fresh(endpoint), options);
      else client.destroy();
    });
  });
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.on('disconnect', () => process.exit());
