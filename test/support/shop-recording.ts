/** The recording that README.md replays: ten seconds of its shop, in virtual time, with a replica that refuses. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { concat, NEVER, of } from 'rxjs';
import { makeDice, roll } from '../../src/balancer/random.ts';
import { readFileOf } from '../../src/config/read.ts';
import { piecesOf, recordingOf } from '../../src/recorder/dump.ts';
import { UNOPENED } from '../../src/testing/unopened.ts';
import { makeVirtualDaemon } from '../../src/testing/virtual-daemon.ts';
import { VirtualTime } from '../../src/testing/virtual-time.ts';
import { bound } from './balancer.ts';

const EVERY_MS = 20;
const COUNT = 500;

/** Endpoints of the shop. */
const ENDPOINTS = ['10.0.0.1:5432', '10.0.0.2:5432'];

/** The text of the recording that a daemon on this configuration would have dumped. */
export const recordShop = async (path: string): Promise<string> => {
  const loaded = readFileOf(path, UNOPENED);
  if (isLeft(loaded)) throw new Error(loaded.left.join('\n'));
  const { config, raw } = loaded.right;
  const time = new VirtualTime();
  const dice = makeDice(0.1);
  const random = (): number => roll(dice);
  const daemon = makeVirtualDaemon(
    {
      config$: concat(of(config), NEVER),
      resolve: () => concat(of(bound(...ENDPOINTS)), NEVER),
      report: () => undefined,
    },
    { scheduler: time, wallNow: time.now, random, log: () => undefined },
  );
  daemon.recorder.configure(config.recorder);
  const running = daemon.run$.subscribe();
  daemon.network.set(ENDPOINTS[1] ?? '', { health: 'refuses' });
  for (let i = 0; i < COUNT; i++) {
    time.flush(i * EVERY_MS);
    const source = `198.51.100.${i % 200}:${40_000 + i}`;
    daemon.arrive('routers[0].servers[0]', { source, lastsMs: 300 });
  }
  time.flush(COUNT * EVERY_MS + 1000);
  const about = { program: '0.2.0', wallAt: 0, isHashed: false, config: raw };
  const pieces = piecesOf(0, time.now(), daemon.recorder.lines());
  let text = '';
  for await (const piece of recordingOf(about, pieces, async () => undefined)) text += piece;
  running.unsubscribe();
  return text;
};
