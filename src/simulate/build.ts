/** From the decoded file of a scenario to the scenario. */
import { type Address, parseAddress } from '../address.ts';
import type { Build, Files, Workshop } from '../config/build.ts';
import type { Config } from '../config/config.ts';
import type { Steps } from '../config/document.ts';
import { suggest } from '../config/report.ts';
import { HEALTHS } from '../testing/network.ts';
import { buildExpectation } from './build-expectation.ts';
import { buildName } from './build-name.ts';
import { readRow } from './read-row.ts';
import type { Arrivals, Command, Endpoint, Scenario } from './scenario.ts';
import type { RawArrivals, RawEndpoint, RawScenario } from './schema.ts';
import { showDuration } from './units.ts';

/** Reads a configuration; what is wrong with it is told in lines. */
export type ReadConfig = (
  path: string,
) => { readonly config: Config } | { readonly errors: readonly string[] };

/** Most connections of a scenario: what is known of each is kept to the end. */
const MOST_ARRIVALS = 5_000_000;

const NOWHERE: Address = { ip: '0.0.0.0', port: 1, text: '0.0.0.0:1' };

const buildEndpoint = (shop: Workshop, [name, raw]: readonly [string, RawEndpoint]): Endpoint => {
  const steps = ['endpoints', name];
  const address = parseAddress(raw.address);
  if (address === undefined)
    shop.errors.push({
      steps,
      message: `expected an IP address and port, such as 10.0.0.1:5432, got "${raw.address}"`,
    });
  const { connect: connectMs, firstByte: firstByteMs } = raw;
  const at = [...steps, 'health'];
  const behaviour = readRow(shop, raw.health, at).flatMap(({ at: when, key }) => {
    const health = HEALTHS[key];
    if (health !== undefined) return [{ at: when, value: { health, connectMs, firstByteMs } }];
    const message = `expected u, r, h, x or d in the row, got ${key}`;
    shop.errors.push({ steps: at, message });
    return [];
  });
  return { name, address: address ?? NOWHERE, behaviour };
};

const buildArrivals = (
  shop: Workshop,
  raw: RawArrivals,
  { config, durationMs, steps }: { config: Config; durationMs: number; steps: Steps },
): Arrivals => {
  const wrong = (key: string, message: string): void => {
    shop.errors.push({ steps: [...steps, key], message });
  };
  const labels = config.routers.map(({ label }) => label);
  const router = config.routers[raw.router === undefined ? 0 : labels.indexOf(raw.router)];
  if (router === undefined)
    wrong(
      'router',
      `expected one of ${labels.join(', ')}, got "${raw.router}"${suggest(raw.router ?? '', labels)}`,
    );
  const server = router?.servers[raw.server];
  if (router !== undefined && server === undefined)
    wrong(
      'server',
      `expected a server 0-${router.servers.length - 1} of ${router.label}, got ${raw.server}`,
    );
  const given = [raw.rate, raw.count, raw.row].filter((one) => one !== undefined).length;
  if (given !== 1)
    shop.errors.push({
      steps,
      message: `expected one of rate, count and row, got ${given || 'none'}`,
    });
  const until = Math.min(raw.until ?? durationMs, durationMs);
  if (raw.from >= until)
    wrong('from', `expected a time before ${showDuration(until)}, got ${showDuration(raw.from)}`);
  const number =
    raw.rate === undefined ? (raw.count ?? 0) : raw.rate * Math.max(0, until - raw.from);
  if (number > MOST_ARRIVALS)
    shop.errors.push({
      steps,
      message: `expected at most ${MOST_ARRIVALS} connections, got ${Math.round(number)}`,
    });
  return {
    place: server?.place ?? '',
    when: whenOf(shop, raw, steps),
    from: raw.from,
    until,
    source: raw.source,
    alpn: raw.alpn,
    lasts: raw.lasts,
    ...(raw.sni === undefined ? {} : { sni: raw.sni }),
    ...(raw.patience === undefined ? {} : { patienceMs: raw.patience }),
  };
};

const whenOf = (shop: Workshop, raw: RawArrivals, steps: Steps): Arrivals['when'] => {
  const { rate, count, row, from } = raw;
  if (rate !== undefined) return { everyMs: 1 / rate };
  if (count !== undefined)
    return { at: Array.from({ length: Math.min(count, MOST_ARRIVALS) }, () => from) };
  return { at: readRow(shop, row ?? '', [...steps, 'row']).map(({ at }) => from + at) };
};

const NOTHING: Config = {
  admin: { ip: '127.0.0.1', port: 1, graceSecs: 0, hosts: [], maxNameSeries: 1 },
  log: { level: 'error', format: 'text' },
  workers: 0,
  bufferSizeBytes: 1024,
  maxBufferedBytes: 1024,
  routers: [],
};

/** The configuration that a key names; its errors are told at the key. */
const readInto = (
  shop: Workshop,
  path: string,
  steps: Steps,
  read: ReadConfig,
): Config | undefined => {
  const found = read(path);
  if ('config' in found) return found.config;
  for (const message of found.errors) shop.errors.push({ steps, message });
  return undefined;
};

/** None where its configuration cannot be had. */
const buildCommand = (
  shop: Workshop,
  one: RawScenario['commands'][number],
  {
    config,
    durationMs,
    read,
    steps,
  }: { config: Config; durationMs: number; read: ReadConfig; steps: Steps },
): readonly Command[] => {
  if (one.at > durationMs)
    shop.errors.push({
      steps: [...steps, 'at'],
      message: `expected a time up to the end, ${showDuration(durationMs)}, got ${showDuration(one.at)}`,
    });
  if (one.do === 'drain') return [{ t: 'drain', at: one.at }];
  const other =
    one.config === undefined
      ? config
      : readInto(shop, shop.files.resolve(one.config), [...steps, 'config'], read);
  return other === undefined ? [] : [{ t: 'reload', at: one.at, config: other }];
};

/** Builds scenarios. `override` is the configuration of the command line, which wins. */
export const buildScenario =
  (override: string | undefined, read: ReadConfig) =>
  (raw: RawScenario, files: Files): Build<Scenario> => {
    const shop: Workshop = { files, errors: [], warnings: [] };
    const path = override ?? (raw.config === undefined ? undefined : files.resolve(raw.config));
    if (path === undefined)
      shop.errors.push({
        steps: [],
        message: 'expected config, or one before it on the command line, got none',
      });
    const first = path === undefined ? undefined : readInto(shop, path, ['config'], read);
    const config = first ?? NOTHING;
    const durationMs = raw.duration;
    if (raw.expect.length === 0)
      shop.errors.push({ steps: ['expect'], message: 'expected something, got an empty list' });
    const endpoints = [...raw.endpoints].map((one) => buildEndpoint(shop, one));
    const commands = raw.commands.flatMap((one, i) =>
      buildCommand(shop, one, { config, durationMs, read, steps: ['commands', i] }),
    );
    const scenario: Scenario = {
      title: raw.title,
      config,
      durationMs,
      seed: raw.seed,
      endpoints,
      names: new Map([...raw.names].map((one) => buildName(shop, one, endpoints))),
      // Without a configuration nobody knows which servers there are.
      arrivals:
        first === undefined
          ? []
          : raw.arrivals.map((one, i) =>
              buildArrivals(shop, one, { config, durationMs, steps: ['arrivals', i] }),
            ),
      commands,
      expectations: raw.expect.map((one, i) =>
        buildExpectation(shop, one, {
          endpoints,
          names: [...raw.names.keys()],
          steps: ['expect', i],
        }),
      ),
    };
    return { config: scenario, errors: shop.errors, warnings: shop.warnings };
  };
