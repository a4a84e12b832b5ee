/** What a scenario expects, checked against what it names. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { parseAddress } from '../address.ts';
import type { Workshop } from '../config/build.ts';
import type { Steps } from '../config/document.ts';
import { suggest } from '../config/report.ts';
import { parseSentence, type Sentence } from './expectation.ts';
import { readRow } from './read-row.ts';
import type { Endpoint, Expectation } from './scenario.ts';
import type { RawRow } from './schema.ts';

interface Parts {
  readonly endpoints: readonly Endpoint[];
  readonly steps: Steps;
}

/** The endpoint that a sentence is about; a name of the router is none. */
const endpointIn = (sentence: Sentence): string | undefined => {
  if (sentence.t === 'within') return sentence.endpoint;
  const isAbout = sentence.t === 'connections' || sentence.t === 'never';
  return isAbout && !sentence.target.startsWith('/') ? sentence.target : undefined;
};

const checkEndpoint = (shop: Workshop, name: string, { endpoints, steps }: Parts): void => {
  const names = endpoints.map((one) => one.name);
  if (names.includes(name) || parseAddress(name) !== undefined) return;
  const message = `expected an endpoint, one of ${names.join(', ') || '(none)'}, got "${name}"${suggest(name, names)}`;
  shop.errors.push({ steps, message });
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
  return { t: 'sentence', text, sentence: read.right };
};

const buildRow = (shop: Workshop, raw: RawRow, parts: Parts): Expectation => {
  const { row, of, name, values } = raw;
  const isEndpoint = of !== 'refused' && of !== 'arrived';
  if (isEndpoint)
    for (const [letter, value] of values)
      checkEndpoint(shop, value, { ...parts, steps: [...parts.steps, 'values', letter] });
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
