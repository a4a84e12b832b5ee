/** The delegation of a name as people read it: one line for each step, indented by how it was reached. Pure. */

/** A step in namerd’s JSON, of which nothing is taken for granted. */
type Step = Readonly<Record<string, unknown>>;

const MOST_ADDRESSES = 10;

const isRecord = (value: unknown): value is Step =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const record = (value: unknown): Step => (isRecord(value) ? value : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

interface Child {
  readonly lead: string;
  readonly step: Step;
}

const childrenOf = ({ delegate, alt, union, tree }: Step): readonly Child[] => [
  ...[delegate, tree].filter(isRecord).map((step) => ({ lead: '', step })),
  ...list(alt).map((one) => ({ lead: '', step: record(one) })),
  ...list(union).map((one) => {
    const { weight, tree: step } = record(one);
    return { lead: `${weight} * `, step: record(step) };
  }),
];

/** Whether a step comes to something else than that the name does not exist. */
const isFound = (step: Step): boolean => {
  const children = childrenOf(step);
  return children.length === 0
    ? step['type'] !== 'neg'
    : children.some(({ step: child }) => isFound(child));
};

/** Whether it comes to a concrete name that exists, or to nobody: neither `neg`, nor `fail`, nor what is not known. */
export const isBound = (step: Step): boolean => {
  const { type, bound } = step;
  if (type === 'leaf') return record(record(bound)['addr'])['type'] !== 'neg';
  if (type === 'alt') {
    const found = childrenOf(step).find(({ step: one }) => isFound(one));
    return found !== undefined && isBound(found.step);
  }
  return type === 'empty' || childrenOf(step).some(({ step: one }) => isBound(one));
};

const endpoint = (value: unknown): string => {
  const { ip, port, meta } = record(value);
  const { endpoint_addr_weight: weight } = record(meta);
  return `${ip}:${port}${weight === undefined ? '' : ` * ${weight}`}`;
};

const addressesOf = (addr: Step): string => {
  const { type, cause, addrs } = addr;
  if (type === 'failed') return `its addresses cannot be had: ${cause}`;
  if (type === 'pending') return 'its addresses are not known yet';
  if (type !== 'bound') return 'it does not exist';
  const all = list(addrs);
  if (all.length === 0) return 'nobody is home';
  const shown = all.slice(0, MOST_ADDRESSES).map(endpoint).join(', ');
  return all.length > MOST_ADDRESSES ? `${shown} and ${all.length - MOST_ADDRESSES} more` : shown;
};

const ENDS: Readonly<Record<string, string>> = {
  neg: 'does not exist',
  fail: 'fails: no alternative is tried',
  empty: 'exists, and nobody is home',
  pending: 'not known yet',
  alt: 'the first that exists counts',
  union: 'divided by weight',
  delegate: '',
};

const outcomeOf = (step: Step): string => {
  const { type, message, bound } = step;
  if (type === 'leaf') return addressesOf(record(record(bound)['addr']));
  if (type === 'exception') return `cannot be found out: ${message}`;
  return ENDS[String(type)] ?? String(type);
};

/** The rule that led to a step, where it is another one than before. */
const ruleOf = ({ dentry }: Step, before: string): string => {
  const { prefix, dst } = record(dentry);
  const rule = prefix === undefined ? '' : `${prefix} => ${dst}`;
  return rule === before ? '' : rule;
};

/** Where a step stands. */
interface At {
  /** The names above it. */
  readonly above: readonly unknown[];
  readonly lead: string;
  /** The rule above it. */
  readonly before: string;
}

/** One name so often above itself stands in a circle of rules; less often it may have parts. */
const MOST_AGAIN = 10;

const linesOf = (step: Step, { above, lead, before }: At): readonly string[] => {
  const { path } = step;
  const rule = ruleOf(step, before);
  const isCircle = above.filter((one) => one === path).length >= MOST_AGAIN;
  const outcome = isCircle ? 'and so on, round in a circle of rules' : outcomeOf(step);
  const own =
    `${'  '.repeat(above.length)}${lead}${path ?? ''}` +
    `${outcome && `: ${outcome}`}${rule && `   [${rule}]`}`;
  const children = isCircle ? [] : childrenOf(step);
  const first = step['type'] === 'alt' ? children.findIndex(({ step: one }) => isFound(one)) : -1;
  return [
    own,
    ...children.flatMap((child, i) =>
      linesOf(child.step, {
        above: [...above, path],
        lead: (first >= 0 && i > first ? '(not reached) ' : '') + child.lead,
        before: rule || before,
      }),
    ),
  ];
};

/** All lines, without a line break at the end. */
export const delegationText = (step: Step): string =>
  linesOf(step, { above: [], lead: '', before: '' }).join('\n');
