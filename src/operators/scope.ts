/** What the operators that come along have in common: which names they are for, and whom they count together. */
import { optional } from '../config/codec.ts';
import * as v from '../config/values.ts';
import type { Envelope } from '../envelope.ts';
import { compilePrefix, type Path } from '../path.ts';

/** The option that narrows an operator down to some names. */
export const dst = optional(
  v.prefix,
  '/',
  'Names that it is for: a prefix by whole segments, with `*`.',
);

/** Whether an operator is for an envelope. Remembers the last name, since most connections go where others went. */
export const isFor = (prefix: string): ((envelope: Envelope) => boolean) => {
  if (prefix === '/') return () => true;
  const match = compilePrefix(prefix);
  let last: Path | undefined;
  let isMatch = false;
  return (envelope) => {
    if (envelope.dst !== last) {
      last = envelope.dst;
      isMatch = match(last) !== undefined;
    }
    return isMatch;
  };
};

const ipIn = (src: string): string =>
  src.startsWith('[') ? src.slice(1, src.lastIndexOf(']')) : src.slice(0, src.lastIndexOf(':'));

/** The last answer: operators in a row ask about the same client. */
let [lastSrc, lastIp] = ['', ''];

/** The address of a client without its port. */
export const ipOf = ({ src }: Envelope): string => {
  if (src !== lastSrc) [lastSrc, lastIp] = [src, ipIn(src)];
  return lastIp;
};

const KEYS = {
  source: ipOf,
  name: ({ dst: name }: Envelope) => name,
  server: ({ srv }: Envelope) => srv,
  router: () => 'all',
} as const;

/** What is counted together. */
export type By = keyof typeof KEYS;

/** The option that says what is counted together. */
export const by = optional<By>(
  v.word('source', 'name', 'server', 'router'),
  'source',
  'What is counted together: connections of one client address, to one name, of one server, or all.',
);

/** What operators have noted of an envelope, and one note more. */
export const noted = ({ notes }: Envelope, key: string, note: string): Envelope['notes'] =>
  notes === undefined ? { [key]: note } : { ...notes, [key]: note };

/** What an envelope counts as. */
export const keyOf = (what: By): ((envelope: Envelope) => string) => KEYS[what];
