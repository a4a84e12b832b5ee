/** What a scenario expects, checked against what it names. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { parseAddress } from '../address.ts';
import { CLOSE_REASONS } from '../close-reason.ts';
import type { Workshop } from '../config/build.ts';
import type { Steps } from '../config/document.ts';
import { suggest } from '../config/report.ts';
import { isReason, parseSentence, type Sentence } from './expectation.ts';
import { readRow } from './read-row.ts';
import type { Endpoint, Expectation } from './scenario.ts';
import type { RawRow } from './schema.ts';

interface Parts {
  readonly endpoints: readonly Endpoint[];
  /** Of which something is said. */
  readonly names: readonly string[];
  readonly steps: Steps;
}

/** The endpoint that a sentence is about; a name of the router is none. */
const endpointIn = (sentence: Sentence): string | undefined => {
  if (sentence.t === 'within') return sentence.endpoint;
  const isAbout = sentence.t === 'connections' || sentence.t === 'never';
  return isAbout && !sentence.target.startsWith('/') ? sentence.target : undefined;
};

/** The name that connections go to. */
const nameIn = (sentence: Sentence): string | undefined => {
  const isAbout = sentence.t === 'connections' || sentence.t === 'never';
  return isAbout && sentence.target.startsWith('/') ? sentence.target : undefined;
};

const checkEndpoint = (shop: Workshop, name: string, { endpoints, steps }: Parts): void => {
  const names = endpoints.map((one) => one.name);
  if (names.includes(name) || parseAddress(name) !== undefined) return;
  const message = `expected an endpoint, one of ${names.join(', ') || '(none)'}, got "${name}"${suggest(name, names)}`;
  shop.errors.push({ steps, message });
};

/** Nobody can be sent to a name that does not exist: what is expected of one says nothing. */
const checkName = (shop: Workshop, target: string, { names, steps }: Parts): void => {
  const prefix = target === '/' ? target : `${target}/`;
  if (names.some((name) => name === target || name.startsWith(prefix))) return;
  const message = `expected a name, or how some begin, of ${names.join(', ') || '(none)'}, got "${target}"${suggest(target, names)}`;
  shop.errors.push({ steps, message });
};

/** What no connection can be: a share beyond all, a time after the end. */
const checkBounds = (shop: Workshop, sentence: Sentence, { steps }: Parts): void => {
  if ('isShare' in sentence && sentence.isShare && sentence.value > 1)
    shop.errors.push({
      steps,
      message: `expected a share up to 100%, got ${sentence.value * 100}%`,
    });
  if ('from' in sentence && sentence.from >= sentence.until)
    shop.errors.push({ steps, message: 'expected from before until' });
};

/** A sentence that nobody understands is noted; this one stands in for it. */
const NOTHING: Sentence = {
  t: 'most',
  what: 'open',
  comparison: '>=',
  value: 0,
  isShare: false,
};

const buildSentence = (shop: Workshop, text: string, parts: Parts): Expectation => {
  const read = parseSentence(text.trim());
  if (isLeft(read)) {
    shop.errors.push({ steps: parts.steps, message: `expected ${read.left}` });
    return { t: 'sentence', text, sentence: NOTHING };
  }
  const endpoint = endpointIn(read.right);
  if (endpoint !== undefined) checkEndpoint(shop, endpoint, parts);
  const name = nameIn(read.right);
  if (name !== undefined) checkName(shop, name, parts);
  checkBounds(shop, read.right, parts);
  return { t: 'sentence', text, sentence: read.right };
};

const checkReason = ({ errors }: Workshop, value: string, steps: Steps): void => {
  if (isReason(value)) return;
  const message = `expected a close reason, got "${value}"${suggest(value, Object.keys(CLOSE_REASONS))}`;
  errors.push({ steps, message });
};

const buildRow = (shop: Workshop, raw: RawRow, parts: Parts): Expectation => {
  const { row, of, name, values } = raw;
  // Of a name that does not exist connections are refused; nobody is dialed for it.
  const isServed = of !== 'refused' && of !== 'arrived';
  for (const [letter, value] of values) {
    const steps = [...parts.steps, 'values', letter];
    if (of === 'refused') checkReason(shop, value, steps);
    else if (isServed) checkEndpoint(shop, value, { ...parts, steps });
  }
  if (name !== undefined && isServed)
    checkName(shop, name, { ...parts, steps: [...parts.steps, 'name'] });
  const marks = readRow(shop, row, [...parts.steps, 'row']);
  const about = name === undefined ? '' : ` of ${name}`;
  return { t: 'row', text: `${of}${about}: ${row}`, of, name, marks, values };
};

/** Builds one expectation. */
export const buildExpectation = (
  shop: Workshop,
  raw: string | RawRow,
  parts: Parts,
): Expectation =>
  typeof raw === 'string' ? buildSentence(shop, raw, parts) : buildRow(shop, raw, parts);
