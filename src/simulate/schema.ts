/** The format of scenarios, key by key. Pure. */
import {
  absent,
  type Field,
  list,
  MapCodec,
  type Of,
  object,
  oneOrMore,
  optional,
  required,
} from '../config/codec.ts';
import { mapped, ShapeCodec } from '../config/shape.ts';
import * as v from '../config/values.ts';
import * as u from './units.ts';

/** A key whose default is written in units. */
const shownAs = <A>(field: Field<A>, shown: string): Field<A> => ({
  ...field,
  shown: `\`${shown}\``,
});

const endpoint = object('an object with the keys of an endpoint', {
  address: required(v.text, 'Its address, such as `10.0.0.1:5432`.'),
  connect: shownAs(optional(u.duration, 1, 'How long a dial takes.'), '1ms'),
  firstByte: shownAs(optional(u.duration, 1, 'From the dispatch to its first byte.'), '1ms'),
  health: optional(
    v.text,
    'u',
    'A row: `u` takes connections, `r` refuses them, `h` hangs, `x` resets them before their first byte, `d` is dead, with its streams.',
  ),
});

/** An endpoint as it stands in the file. */
export type RawEndpoint = Of<typeof endpoint>;

const endpointOrAddress = new ShapeCodec<RawEndpoint>('an address, or an object with address', {
  object: endpoint,
  text: mapped(v.text, (address) => ({ address, connect: 1, firstByte: 1, health: 'u' })),
});

const branch = object('an object with weight and endpoints', {
  weight: required(
    v.number('a weight, at least 0', 0, 1e9),
    'Its share, beside those of the others.',
  ),
  endpoints: required(list(v.text), 'Endpoints by their names.'),
});

const union = object('an object with union', {
  union: required(list(branch), 'Branches that connections are divided among.'),
});

/** What is said of a name at one time. */
export type RawSaid =
  | { readonly t: 'endpoints'; readonly endpoints: readonly string[] }
  | { readonly t: 'union'; readonly branches: readonly Of<typeof branch>[] }
  | { readonly t: 'neg' }
  | { readonly t: 'failed' }
  | { readonly t: 'pending' };

const SAID = 'a list of endpoints, an object with union, or neg, failed or pending';

const said = new ShapeCodec<RawSaid>(SAID, {
  list: mapped(list(v.text), (endpoints): RawSaid => ({ t: 'endpoints', endpoints })),
  object: mapped(union, ({ union: branches }): RawSaid => ({ t: 'union', branches })),
  text: mapped(v.word('neg', 'failed', 'pending'), (t): RawSaid => ({ t })),
});

const changing = object('an object with row and values, or with union', {
  row: absent(v.text, 'with union', 'When which of `values` is said.'),
  values: optional(
    new MapCodec('a map of letter to what is said', said),
    new Map(),
    'What is said, by the letters of the row.',
  ),
  union: absent(list(branch), 'with row', 'Branches that connections are always divided among.'),
});

/** A name: what is said of it, by a row. */
export interface RawName {
  /** Absent: nothing is said of when. */
  readonly row: string | undefined;
  readonly values: ReadonlyMap<string, RawSaid>;
  /** The file has one value and no row. */
  readonly isAlways: boolean;
}

const always = (value: RawSaid): RawName => ({
  row: 'a',
  values: new Map([['a', value]]),
  isAlways: true,
});

const name = new ShapeCodec<RawName>(`${SAID}; or an object with row and values`, {
  list: mapped(list(v.text), (endpoints) => always({ t: 'endpoints', endpoints })),
  object: mapped(changing, ({ row, values, union: branches }) =>
    branches === undefined ? { row, values, isAlways: false } : always({ t: 'union', branches }),
  ),
  text: mapped(v.word('neg', 'failed', 'pending'), (t) => always({ t })),
});

const arrivals = object('an object with rate, count or row', {
  rate: absent(u.rate, 'one of them', 'So many, one after the other in equal steps: `100/s`.'),
  count: absent(v.count, 'one of them', 'So many, all at once.'),
  row: absent(v.text, 'one of them', 'One for each marble.'),
  from: shownAs(optional(u.duration, 0, 'When the first comes.'), '0s'),
  until: absent(u.duration, 'the end', 'When no more come.'),
  router: absent(v.text, 'the first', 'Label of the router.'),
  server: optional(v.countOrNone, 0, 'Which of its servers, from 0.'),
  source: optional(v.network, '192.0.2.1', 'Their address; of a network each has another one.'),
  sni: absent(v.hostName, 'none', 'Server name that they ask for.'),
  alpn: optional(oneOrMore(v.protocol), [], 'Protocols that they offer.'),
  lasts: shownAs(
    optional(u.range, { from: 1000, to: 1000 }, 'How long they stay with an endpoint.'),
    '1s',
  ),
  patience: absent(u.duration, 'no end', 'They go away if they have no endpoint by then.'),
});

/** Connections that come, as they stand in the file. */
export type RawArrivals = Of<typeof arrivals>;

const command = object('an object with at and do', {
  at: required(u.duration, 'When.'),
  do: required(v.word('drain', 'reload'), 'What an operator does.'),
  config: absent(v.text, 'the same file', 'What is read by the reload.'),
});

/** What can be expected of one after the other. */
export const FACTS = ['arrived', 'dialed', 'dispatched', 'refused', 'failed', 'restored'] as const;

const expectedRow = object('an object with row and of', {
  row: required(v.text, 'What happens when; nothing else may.'),
  of: required(
    v.word(...FACTS),
    'What: connections that came, were dispatched or refused, endpoints that were dialed, put aside, or restored.',
  ),
  name: absent(v.path, 'all', 'Of one name only.'),
  values: optional(
    new MapCodec('a map of letter to text', v.text),
    new Map(),
    'What the letters stand for: an endpoint, or the reason of a refusal. None: whatever it is.',
  ),
});

/** A row that is expected, as it stands in the file. */
export type RawRow = Of<typeof expectedRow>;

const expectation = new ShapeCodec<string | RawRow>('a text such as "success >= 99.9%", or a row', {
  text: v.text,
  object: expectedRow,
});

/** A scenario. */
export const scenario = object('an object with config, names, endpoints, arrivals and expect', {
  title: optional(v.text, 'a scenario', 'What it shows.'),
  config: absent(v.text, 'that of the command line', 'The configuration, beside this file.'),
  duration: required(u.duration, 'How long connections come; those that are here then may finish.'),
  seed: optional(v.countOrNone, 1, 'Chance: the same number, the same events.'),
  endpoints: optional(
    new MapCodec('a map of name to endpoint', endpointOrAddress),
    new Map(),
    'Endpoints by names of their own, which stand for them in the rest of the file.',
  ),
  names: required(
    new MapCodec('a map of name to what is said of it', name),
    'What the interpreter says of each name: endpoints such as `[db1, "db2 * 0.5"]`, at a time, or by a row.',
  ),
  arrivals: required(list(arrivals), 'Who comes.'),
  commands: optional(list(command), [], 'What operators do.'),
  expect: required(list(expectation), 'What must hold.'),
});

/** A scenario as it stands in the file. */
export type RawScenario = Of<typeof scenario>;
