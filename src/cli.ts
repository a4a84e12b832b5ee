/** The command line: arguments → what to do. Pure but for the parser it borrows from Node. */
import { parseArgs } from 'node:util';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { RouteQuestion } from './explain-route.ts';

/** What the command line asks for. */
export type Task =
  | { readonly t: 'help' }
  | { readonly t: 'version' }
  /** Run the daemon, or only `check` its config. `-` is standard input. */
  | { readonly t: 'run' | 'check'; readonly config: string }
  /** Serve names, or only check what they are served by. */
  | { readonly t: 'namerd' | 'check-namerd'; readonly config: string }
  /** Tell how a router delegates a name. */
  | {
      readonly t: 'delegate';
      readonly config: string;
      readonly router: string;
      readonly name: string;
    }
  /** Tell why a connection is routed as it is. */
  | { readonly t: 'explain'; readonly config: string; readonly question: RouteQuestion }
  /** Tell the format of a file; that of linkerd-tcp’s own with the plugins of `config`. */
  | { readonly t: 'schema'; readonly of: SchemaOf; readonly config: string | undefined }
  /** Decide again what a recording tells, or try another configuration on it. */
  | { readonly t: 'replay'; readonly file: string; readonly config: string | undefined }
  /** Run scenarios in virtual time. */
  | {
      readonly t: 'simulate';
      readonly files: readonly string[];
      readonly seed: number | undefined;
      readonly format: Format;
    };

/** Files whose format can be told. */
export const SCHEMAS = ['config', 'namerd', 'scenario'] as const;

/** One of them. */
export type SchemaOf = (typeof SCHEMAS)[number];

/** How `simulate` tells what it has found. */
export const FORMATS = ['pretty', 'json', 'junit'] as const;

/** One of them. */
export type Format = (typeof FORMATS)[number];

/** The text of `--help`. */
export const HELP = `Usage: linkerd-tcp CONFIG
       linkerd-tcp namerd CONFIG
       linkerd-tcp delegate CONFIG ROUTER NAME
       linkerd-tcp explain CONFIG --server PORT [--sni NAME] [--source IP] [--alpn P] [--why-not ADDRESS]
       linkerd-tcp simulate [--seed N] [--format F] [CONFIG] SCENARIO...
       linkerd-tcp replay RECORDING [--config NEW]
       linkerd-tcp schema config|namerd|scenario [CONFIG]
       linkerd-tcp --check [namerd] CONFIG

A TCP/TLS stream router. CONFIG is a YAML or JSON file; - reads standard input.

Commands:
  namerd    serve names to other routers by namerd’s HTTP API; CONFIG is in namerd’s format
  delegate  tell how the router ROUTER of CONFIG delegates NAME, step by step, and exit
  explain   tell why a connection is routed as it is: rules, name, delegation, limits, and exit
  simulate  run CONFIG through scenarios in virtual time, say what held of what they expect, and exit
  replay    decide again what a recording tells, which must come out as it was recorded; with --config,
            tell what another configuration would have changed
  schema    print the format of a file as JSON Schema, with what the plugins of CONFIG add to it, and exit

Options:
      --server PORT, --sni NAME, --source IP, --alpn P
                 explain: the connection (IP is 127.0.0.1 unless told); --why-not ADDRESS: an
                 endpoint that it should have got
      --config NEW
                 replay: the configuration to try
      --seed N   simulate: chance, instead of that of the scenarios
      --format F simulate: pretty, json or junit
      --check    validate CONFIG, with its certificates and keys, and exit
  -h, --help     show this text and exit
  -V, --version  show the version and exit

Signals:
  SIGHUP           read CONFIG again; a bad file changes nothing
  SIGTERM, SIGINT  stop accepting, let streams end, cut the rest after admin.graceSecs;
                   a second one ends at once

Exit status:
  0   stopped as asked, or CONFIG is valid
  1   a listener could not be opened, or stopped at once;
      delegate, explain: it leads nowhere, or what is asked is wrong;
      simulate: something that was expected did not hold; replay: a decision came out otherwise
  2   simulate, replay: a scenario, a recording or a configuration is not valid
  64  the command line is wrong
  70  a fault of linkerd-tcp itself
  78  CONFIG is not valid
`;

const OPTIONS = {
  server: { type: 'string' },
  sni: { type: 'string' },
  source: { type: 'string', default: '127.0.0.1' },
  alpn: { type: 'string', multiple: true },
  'why-not': { type: 'string' },
  config: { type: 'string' },
  seed: { type: 'string' },
  format: { type: 'string', default: 'pretty' },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'V', default: false },
} as const;

/** Options that belong to one command. */
const OWN: Readonly<Record<string, CommandName>> = {
  server: 'explain',
  sni: 'explain',
  source: 'explain',
  alpn: 'explain',
  'why-not': 'explain',
  config: 'replay',
  seed: 'simulate',
  format: 'simulate',
};

interface Asked {
  readonly server?: string | undefined;
  readonly sni?: string | undefined;
  readonly source: string;
  readonly alpn?: readonly string[] | undefined;
  readonly 'why-not'?: string | undefined;
  readonly config?: string | undefined;
  readonly seed?: string | undefined;
  readonly format: string;
}

/** What stands behind the name of a command, and the options. */
type Read = (words: readonly string[], asked: Asked) => Either<string, Task>;

const delegate: Read = ([config, router, name, ...more]) => {
  if (config === undefined || router === undefined || name === undefined || more.length > 0)
    return left('expected delegate CONFIG ROUTER NAME');
  return right({ t: 'delegate', config, router, name });
};

const explain: Read = (
  [config, ...more],
  { server, sni, source, alpn = [], 'why-not': whyNot },
) => {
  if (config === undefined || more.length > 0 || server === undefined)
    return left('expected explain CONFIG --server PORT');
  return right({ t: 'explain', config, question: { server, sni, source, alpn, whyNot } });
};

const replay: Read = ([file, ...more], { config }) => {
  if (file === undefined || more.length > 0)
    return left('expected replay RECORDING, and --config NEW if wanted');
  return right({ t: 'replay', file, config });
};

const schema: Read = ([of, config, ...more]) => {
  const known = SCHEMAS.find((one) => one === of);
  if (known === undefined || more.length > 0)
    return left(`expected schema with one of ${SCHEMAS.join(', ')}, and a CONFIG if wanted`);
  return right({ t: 'schema', of: known, config });
};

const simulate: Read = (files, { seed, format }) => {
  const known = FORMATS.find((one) => one === format);
  if (files.length === 0) return left('expected a SCENARIO, got none');
  if (known === undefined) return left(`expected --format ${FORMATS.join(', ')}, got "${format}"`);
  if (seed !== undefined && !/^\d{1,15}$/.test(seed))
    return left(`expected --seed with a whole number, got "${seed}"`);
  return right({
    t: 'simulate',
    files,
    seed: seed === undefined ? undefined : Number(seed),
    format: known,
  });
};

const COMMANDS = { delegate, explain, replay, schema, simulate };

type CommandName = keyof typeof COMMANDS;

const isCommand = (word: string | undefined): word is CommandName =>
  word !== undefined && Object.hasOwn(COMMANDS, word);

const runOrServe = (
  positionals: readonly string[],
  { check }: { readonly check: boolean },
): Either<string, Task> => {
  const isNamerd = positionals[0] === 'namerd';
  const [config, ...more] = isNamerd ? positionals.slice(1) : positionals;
  if (config === undefined) return left('expected a CONFIG file, got none');
  if (more.length > 0) return left(`expected one CONFIG file, got ${more.length + 1}`);
  if (isNamerd) return right({ t: check ? 'check-namerd' : 'namerd', config });
  return right({ t: check ? 'check' : 'run', config });
};

/** Reads the arguments; what is wrong with them is one line. */
export const parseCommandLine = (args: readonly string[]): Either<string, Task> => {
  try {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      options: OPTIONS,
      allowPositionals: true,
      tokens: true,
    });
    if (values.help) return right({ t: 'help' });
    if (values.version) return right({ t: 'version' });
    const [word, ...rest] = positionals;
    const command = isCommand(word) ? word : undefined;
    const stray = tokens
      .flatMap((token) => (token.kind === 'option' ? [token.name] : []))
      .find((name) => OWN[name] !== undefined && OWN[name] !== command);
    if (stray !== undefined) return left(`--${stray} is an option of ${OWN[stray]}`);
    return command === undefined
      ? runOrServe(positionals, values)
      : COMMANDS[command](rest, values);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // What follows is advice on files whose names begin with a dash.
    return left(message.split(/\n|\. To specify/, 1).join(''));
  }
};
