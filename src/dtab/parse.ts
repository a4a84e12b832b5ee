/** Reads dtabs, trees of names and names as people write them. Pure. Source: Finagle’s NameTreeParsers. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { Path } from '../path.ts';
import type { Dentry, Dtab } from './dtab.ts';
import { type Branch, DEFAULT_WEIGHT, EMPTY, FAIL, leaf, type NameTree, NEG } from './name-tree.ts';
import { canonicalSegment } from './segment.ts';
import { Fault, Reader, type SyntaxFault } from './text.ts';

/** Deepest nesting of parentheses. */
const MOST_DEPTH = 100;

const LABEL = /(?:[0-9A-Za-z_:.#$%-]|\\x[0-9a-fA-F]{2})+/y;
const NUMBER = /\d+\.?\d*|\.\d+/y;
/** Longest number: whatever is shorter is finite, and is written and read again as the same. */
const MOST_DIGITS = 40;

const readLabel = (text: Reader): string =>
  canonicalSegment(text.match(LABEL) ?? text.fail('label'));

/** `/`, or labels each led by `/`. */
const readSegments = (text: Reader, element: (text: Reader) => string): readonly string[] => {
  text.eat('/');
  // A lone slash is the whole name, unless what follows makes it a longer one.
  if (text.isAtEnd || !/[^\s=>;|&)]/.test(text.next)) return [];
  const found = [element(text)];
  while (text.takes('/')) found.push(element(text));
  return found;
};

const readPath = (text: Reader): Path => `/${readSegments(text, readLabel).join('/')}` as Path;

const readElement = (text: Reader): string => (text.takes('*') ? '*' : readLabel(text));

const readSimple = (text: Reader, depth: number): NameTree<Path> => {
  if (text.takes('~')) return NEG;
  if (text.takes('!')) return FAIL;
  if (text.takes('$')) return EMPTY;
  if (text.next === '/') return leaf(readPath(text));
  if (depth >= MOST_DEPTH) return text.fail(`at most ${MOST_DEPTH} levels of '('`);
  if (!text.takes('(')) return text.fail(`'/', '(', '~', '!' or '$'`);
  text.skip();
  const tree = readAlt(text, depth + 1);
  text.eat(')');
  return tree;
};

const readBranch = (text: Reader, depth: number): Branch<Path> => {
  const number = text.match(NUMBER);
  if (number === undefined && text.next === '.') text.fail('digit');
  if (number !== undefined) {
    if (number.length > MOST_DIGITS) text.fail(`a number of at most ${MOST_DIGITS} digits`);
    text.skip();
    text.eat('*');
    text.skip();
  }
  const tree = readSimple(text, depth);
  text.skip();
  return { weight: number === undefined ? DEFAULT_WEIGHT : Number(number), tree };
};

/** One of a kind stands for itself, without its weight. */
const readUnion = (text: Reader, depth: number): NameTree<Path> => {
  const first = readBranch(text, depth);
  const branches = [first];
  while (text.takes('&')) {
    text.skip();
    branches.push(readBranch(text, depth));
  }
  return branches.length === 1 ? first.tree : { t: 'union', branches };
};

const readAlt = (text: Reader, depth: number): NameTree<Path> => {
  const first = readUnion(text, depth);
  const trees = [first];
  while (text.takes('|')) {
    text.skip();
    trees.push(readUnion(text, depth));
  }
  return trees.length === 1 ? first : { t: 'alt', trees };
};

const readDentry = (text: Reader): Dentry => {
  const prefix = readSegments(text, readElement);
  text.skip();
  if (!text.takes('=>')) text.fail(`'=>'`);
  text.skip();
  return { prefix, dst: readAlt(text, 0) };
};

const readDtab = (text: Reader): Dtab => {
  const dentries: Dentry[] = [];
  do {
    text.skip();
    if (!text.isAtEnd) dentries.push(readDentry(text));
  } while (text.takes(';'));
  return dentries;
};

/** Reads all of a text, blanks and comments around it included. */
const whole =
  <T>(read: (text: Reader) => T) =>
  (text: string): Either<SyntaxFault, T> => {
    const reader = new Reader(text);
    try {
      reader.skip();
      const value = read(reader);
      reader.skip();
      return reader.isAtEnd ? right(value) : reader.fail('end of input');
    } catch (error) {
      if (error instanceof Fault) return left(error.fault);
      throw error;
    }
  };

/** Reads a dtab: `/svc => /#/io.l5d.fs; /svc/canary => 0.01 * /svc/new & 0.99 * /svc/old;` and the empty text. */
export const parseDtab = whole(readDtab);

/** Reads the prefix of a rule: `/svc/*`. */
export const parsePrefix = whole((text) => readSegments(text, readElement));

/** Reads a tree of names: `/a | 2 * /b & (/c | ~)`. */
export const parseTree = whole((text) => readAlt(text, 0));

/** Reads a name; escapes are made canonical, so that equal names are equal strings. */
export const parseName = whole(readPath);
