/** A YAML or JSON text with the place of everything in it. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { ConfigError } from './report.ts';

/** The way to a value: keys, and indexes of lists. */
export type Steps = readonly (string | number)[];

/** What a text holds, and where. */
export interface Source {
  readonly value: unknown;
  /** Line and column, from 1, of a value; of its parent where there is none. */
  readonly placeOf: (steps: Steps) => Place;
  /** The line of a value; `undefined`: there is none. */
  readonly lineOf: (steps: Steps) => number | undefined;
  /** The same of a key. */
  readonly placeOfKey: (steps: Steps) => Place;
  /** The place in the file of a place within a text; where it cannot be told, that of the text. */
  readonly placeWithin: (steps: Steps, at: Place) => Place;
}

/** From 1. */
export interface Place {
  readonly line: number;
  readonly col: number;
}

/** A file may refer to its own parts so often; more is an attack. */
const MOST_ALIASES = 100;

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);

const nodeAt = (document: Document, steps: Steps): unknown =>
  steps.length === 0 ? document.contents : document.getIn(steps, true);

const keyAt = (document: Document, steps: Steps): unknown => {
  const parent = nodeAt(document, steps.slice(0, -1));
  const pair = isMap(parent)
    ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(steps.at(-1)))
    : undefined;
  return isPair(pair) ? pair.key : undefined;
};

interface Written {
  readonly text: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

/** Of a block: the line, and the indentation that all of its lines have. Of another text: its first line alone. */
const within = ({ text }: Written, node: unknown, start: Place, { line, col }: Place): Place => {
  const type = isScalar(node) ? node.type : undefined;
  if (type === 'PLAIN' && line === 1) return { line: start.line, col: start.col + col - 1 };
  if (type?.startsWith('QUOTE') === true && line === 1)
    return { line: start.line, col: start.col + col };
  if (type !== 'BLOCK_LITERAL') return start;
  const rows = text.split('\n').slice(start.line);
  const indent = /^ */.exec(rows.find((row) => row.trim() !== '') ?? '')?.[0].length ?? 0;
  return { line: start.line + line, col: indent + col };
};

const makeSource = (written: Written, value: unknown): Source => {
  const { document, lines } = written;
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), col: Math.max(1, col) };
  };
  const placeOf = (steps: Steps): Place => {
    const offset = startOf(nodeAt(document, steps));
    if (offset !== undefined) return place(offset);
    return steps.length === 0 ? { line: 1, col: 1 } : placeOf(steps.slice(0, -1));
  };
  const lineOf = (steps: Steps): number | undefined => {
    const offset = startOf(nodeAt(document, steps));
    return offset === undefined ? undefined : place(offset).line;
  };
  const placeOfKey = (steps: Steps) => {
    const offset = startOf(keyAt(document, steps));
    return offset === undefined ? placeOf(steps) : place(offset);
  };
  const placeWithin = (steps: Steps, at: Place): Place =>
    within(written, nodeAt(document, steps), placeOf(steps), at);
  return { value, placeOf, lineOf, placeOfKey, placeWithin };
};

/**
 * Parses YAML 1.2, and with it JSON. Duplicate keys are errors.
 * Errors: all of the syntax, each with its place.
 */
export const parseSource = (text: string): Either<readonly ConfigError[], Source> => {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
  });
  const errors = document.errors.map(({ pos, message, code }) => {
    const { line, col } = lines.linePos(pos[0]);
    const hint = code === 'MULTIPLE_DOCS' ? 'expected one document, got several' : oneLine(message);
    return { line: Math.max(1, line), col: Math.max(1, col), path: '', message: hint };
  });
  if (errors.length > 0) return left(errors);
  try {
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    return right(makeSource({ text, document, lines }, value));
  } catch (error) {
    const message = oneLine(error instanceof Error ? error.message : String(error));
    return left([{ line: 1, col: 1, path: '', message }]);
  }
};
