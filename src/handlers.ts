/** What a daemon answers to its admin server. */
import { type Either, isLeft, left, map as mapRight, right } from 'fp-ts/lib/Either.js';
import { firstValueFrom, map } from 'rxjs';
import type { AdminHandlers } from './admin/server.ts';
import type { LoadedFile } from './config/read.ts';
import type { Engine } from './engine.ts';
import { explainFor } from './explain-for.ts';
import { explainRoute, type Live, type RouteExplained } from './explain-route.ts';
import type { Request } from './lifecycle.ts';
import { makeIdentifier } from './plugins/make.ts';
import { recordingOf } from './recorder/dump.ts';
import type { NameView } from './view.ts';
import type { World } from './world.ts';

/** What it answers from. */
export interface HandlersSetup {
  readonly engine: Engine;
  /** The file in force. */
  readonly file: () => LoadedFile;
  readonly ask: (request: Request) => void;
  /** Of the program. */
  readonly version: string;
  readonly world: World;
}

/** Looks for one name among all, since workers each know a part of it. */
const liveOf = ({ routers, preview }: Engine): Live => ({
  name: async (rt: string, dst: string): Promise<NameView | undefined> => {
    for await (const { label, names } of routers())
      if (label === rt) return names.find((one) => one.dst === dst);
    return undefined;
  },
  next: preview,
});

type Explain = AdminHandlers['explain'];

/** As JSON shows it: the steps of the delegation, or why there are none. */
const plain = ({ delegation, ...explained }: RouteExplained): unknown => {
  if (delegation === undefined) return explained;
  return isLeft(delegation)
    ? { ...explained, delegationError: delegation.left }
    : { ...explained, delegation: delegation.right };
};

const explainBy =
  ({ engine, file, world: { env } }: HandlersSetup): Explain =>
  (query) => {
    const question = {
      server: query.get('server') ?? '',
      source: query.get('source') ?? '127.0.0.1',
      sni: query.get('sni') ?? undefined,
      alpn: query.getAll('alpn'),
      whyNot: query.get('why-not') ?? undefined,
    };
    const { config, lineOf } = file();
    const explained$ = explainRoute(config, question, {
      explain: engine.explain,
      identifier: (rule) => makeIdentifier(rule, env),
      lineOf,
      live: liveOf(engine),
    });
    return firstValueFrom(explained$.pipe(map(mapRight(plain))));
  };

const OFF = 'nothing is recorded; set recorder in the configuration and reload';
const BUSY = 'the recording is being told to somebody else; ask again when that is done';

/** One at a time: what is told stays in memory until it is. */
const recordingBy = ({
  engine,
  file,
  version,
  world: { env, turn },
}: HandlersSetup): AdminHandlers['recording'] => {
  let isBusy = false;
  async function* tell(isHashed: boolean): AsyncGenerator<string> {
    try {
      const { raw: config } = file();
      const about = { program: version, wallAt: env.wallNow(), isHashed, config };
      yield* recordingOf(about, engine.recording(), turn);
    } finally {
      isBusy = false;
    }
  }
  return (): Either<string, AsyncIterable<string>> => {
    const { recorder } = file().config;
    if (recorder === undefined || isBusy) return left(isBusy ? BUSY : OFF);
    isBusy = true;
    return right(tell(recorder.hashAddresses));
  };
};

/** Makes the answers. */
export const makeHandlers = (setup: HandlersSetup): AdminHandlers => {
  const { engine, file, ask, world } = setup;
  return {
    metrics: engine.metrics,
    config: () => file().raw,
    routers: engine.routers,
    delegate: (router, text) =>
      firstValueFrom(explainFor(file().config, { router, text }, engine.explain)),
    explain: explainBy(setup),
    recording: recordingBy(setup),
    reload: () => new Promise((answer) => ask({ t: 'reload', what: 'config', answer })),
    shutdown: () => ask({ t: 'shutdown' }),
    abort: () => ask({ t: 'abort' }),
    hosts: () => file().config.admin.hosts,
    turn: world.turn,
  };
};
