#!/usr/bin/env node
/** The command: argv → config → daemon → exit code, and the one top-level subscribe. */
import { readFileSync } from 'node:fs';
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import { fromEvent, map, merge, type Observable, config as rxConfig } from 'rxjs';
import { askName, askRoute } from './ask.ts';
import { HELP, parseCommandLine, type Task } from './cli.ts';
import { giveBackOnce, keepYoung } from './collector.ts';
import type { NamerdConfig } from './config/build-namerd.ts';
import { NAMERD } from './config/load.ts';
import { type LoadedFile, readConfig, readFileOf } from './config/read.ts';
import { daemon } from './daemon.ts';
import type { Request } from './lifecycle.ts';
import { namerdDaemon } from './namerd-daemon.ts';
import { RELOAD } from './reloads.ts';
import { replay } from './replay/command.ts';
import { schemaFor } from './schema-command.ts';
import { simulate } from './simulate/command.ts';
import { SLOT } from './workers/processes.ts';
import { makeEngine, work } from './workers/start.ts';
import { makeWorld, type World } from './world.ts';

const EXIT = { ok: 0, failed: 1, bad: 2, usage: 64, fault: 70, config: 78 } as const;

const version = (): string => {
  const file = new URL('../../package.json', import.meta.url);
  const { version: found } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return found;
};

const print = (text: string): void => {
  process.stdout.write(text);
};

/** Errors before there is a log go out as they are. */
const complain = (lines: readonly string[]): void => {
  process.stderr.write(lines.map((line) => `${line}\n`).join(''));
};

const signal$ = (): Observable<Request> =>
  merge(
    fromEvent(process, 'SIGHUP').pipe(map(() => RELOAD)),
    merge(fromEvent(process, 'SIGTERM'), fromEvent(process, 'SIGINT')).pipe(
      map((): Request => ({ t: 'shutdown' })),
    ),
  );

const loadAgain =
  <C>(file: string, read: (file: string) => Either<readonly string[], LoadedFile<C>>) =>
  (): Either<readonly string[], LoadedFile<C>> =>
    file === '-'
      ? left(['the configuration came from standard input, which cannot be read again'])
      : read(file);

/** Runs until it is told how to exit; a fault of our own ends the process, and says so. */
const live = (world: World, life$: Observable<number>): void => {
  keepYoung();
  giveBackOnce();
  const exit = (code: number): void => {
    void world.flush().then(() => process.exit(code));
  };
  const fault = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.env.log('error', 'a fault of linkerd-tcp, please report it', { error: text });
    exit(EXIT.fault);
  };
  rxConfig.onUnhandledError = fault;
  process.on('uncaughtException', fault);
  life$.subscribe({ next: exit, error: fault });
};

const run = (file: string, first: LoadedFile): void => {
  const world = makeWorld();
  const engine = makeEngine(first.config, world);
  live(
    world,
    daemon({
      first,
      load: loadAgain(file, readConfig),
      signal$: signal$(),
      world,
      engine,
      version: version(),
    }),
  );
};

/** Works for a primary, which alone obeys signals: those of a terminal reach all. */
const serve = (slot: string): void => {
  const world = makeWorld(Number(slot));
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT']) process.on(signal, () => undefined);
  live(world, work(process, world).pipe(map(() => EXIT.ok)));
};

const main = (args: readonly string[]): void => {
  const task = parseCommandLine(args);
  if (isLeft(task)) {
    complain([`linkerd-tcp: ${task.left}; see linkerd-tcp --help`]);
    process.exitCode = EXIT.usage;
    return;
  }
  switch (task.right.t) {
    case 'help':
      print(HELP);
      break;
    case 'version':
      print(`linkerd-tcp ${version()}\n`);
      break;
    case 'schema':
      tellSchema(task.right);
      break;
    case 'simulate':
      tell(simulate(task.right), ({ isHeld }) => isHeld);
      break;
    case 'replay':
      void replay(task.right, makeWorld().env)
        .then((done) => tell(done, ({ isReproduced }) => isReproduced))
        .catch(broken);
      break;
    default:
      start(task.right);
  }
};

const tellSchema = ({ of, config }: Extract<Task, { t: 'schema' }>): void => {
  const schema = schemaFor(of, config);
  if (!isLeft(schema)) {
    print(`${schema.right}\n`);
    return;
  }
  complain(schema.left);
  process.exitCode = EXIT.config;
};

const broken = (error: unknown): void => {
  complain([`a fault of linkerd-tcp, please report it: ${String(error)}`]);
  process.exitCode = EXIT.fault;
};

/** Prints what a command has found out; the exit code says whether it is good. */
const tell = <D extends { readonly t: 'done'; readonly out: string }>(
  found: D | { readonly t: 'bad'; readonly errors: readonly string[] },
  isGood: (done: D) => boolean,
): void => {
  if (found.t === 'bad') {
    complain(found.errors);
    process.exitCode = EXIT.bad;
    return;
  }
  print(found.out);
  process.exitCode = isGood(found) ? EXIT.ok : EXIT.failed;
};

const readNamerd = (file: string) => readFileOf(file, NAMERD);

const serveNames = (file: string, first: LoadedFile<NamerdConfig>): void => {
  const world = makeWorld();
  const load = loadAgain(file, readNamerd);
  live(world, namerdDaemon({ first, load, signal$: signal$(), world }));
};

/** Goes on with a good file, or only says that it is one. */
const withFile = <F extends LoadedFile<unknown>>(
  config: string,
  loaded: Either<readonly string[], F>,
  next: ((file: F) => void) | undefined,
): void => {
  if (isLeft(loaded)) {
    complain(loaded.left);
    process.exitCode = EXIT.config;
  } else if (next === undefined) {
    complain(loaded.right.warningLines.map((line) => `warning: ${line}`));
    print(`${config}: valid\n`);
  } else next(loaded.right);
};

/** Answers a question about a configuration; the exit code says whether it leads to something. */
const answer = (file: LoadedFile, task: Extract<Task, { t: 'delegate' | 'explain' }>): void => {
  const world = makeWorld();
  const told$ = (
    task.t === 'delegate' ? askName(file, task, world.env) : askRoute(file, task, world.env)
  ).pipe(
    map(({ out, error, isBound }): number => {
      if (error !== undefined) complain([`linkerd-tcp: ${error}`]);
      if (out !== undefined) print(`${out}\n`);
      return isBound ? EXIT.ok : EXIT.failed;
    }),
  );
  live(world, told$);
};

const start = (task: Extract<Task, { config: string }>): void => {
  const { t, config } = task;
  if (t === 'delegate' || t === 'explain') {
    withFile(config, readConfig(config), (file) => answer(file, task));
    return;
  }
  if (t === 'run') withFile(config, readConfig(config), (file) => run(config, file));
  else if (t === 'check') withFile(config, readConfig(config), undefined);
  else if (t === 'namerd') withFile(config, readNamerd(config), (file) => serveNames(config, file));
  else withFile(config, readNamerd(config), undefined);
};

const { [SLOT]: slot } = process.env;
if (slot !== undefined && process.send !== undefined) serve(slot);
else main(process.argv.slice(2));
