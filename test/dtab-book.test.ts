/** A book of dtabs: texts made at random with what they mean, and binding against a slow and plain evaluator. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Dentry, Dtab } from '../src/dtab/dtab.ts';
import { evaluate, type Known } from '../src/dtab/evaluate.ts';
import { type Branch, leaf, type NameTree } from '../src/dtab/name-tree.ts';
import { parseDtab, parseName, parseTree } from '../src/dtab/parse.ts';
import { showDtab, showTree } from '../src/dtab/print.ts';
import type { Path } from '../src/path.ts';

type Tree = NameTree<Path>;

const RUNS = { numRuns: 300 };

/** A segment as it is written, and as it is meant. */
const segment: fc.Arbitrary<readonly [written: string, meant: string]> = fc.oneof(
  fc
    .string({ unit: fc.constantFrom(...'aZ09_:.#$%-'), minLength: 1, maxLength: 4 })
    .map((text) => [text, text] as const),
  // Escapes of what needs none, in either case.
  fc.constantFrom(
    ['\\x61b', 'ab'] as const,
    ['\\x5A', 'Z'] as const,
    ['a\\x20b', '\\x61\\x20\\x62'] as const,
    ['\\x2A', '\\x2a'] as const,
    ['\\xC3\\xBC', '\\xc3\\xbc'] as const,
    ['\\x2f', '\\x2f'] as const,
  ),
);

interface Written<T> {
  readonly text: string;
  readonly means: T;
}

const path: fc.Arbitrary<Written<Path>> = fc.array(segment, { maxLength: 4 }).map((parts) => ({
  text: `/${parts.map(([written]) => written).join('/')}`,
  means: `/${parts.map(([, meant]) => meant).join('/')}` as Path,
}));

const blank = fc.constantFrom('', '', ' ', '\n', '\t ', ' # note | & ; => (\n', '\r\n');
/** A weight as it is written; numbers of all kinds that the grammar has. */
const weight = fc.constantFrom(
  '',
  '1*',
  '0.25 *',
  '.5*',
  '5. * ',
  '0*',
  '007*',
  '100000000000000000000000*',
);
const weightOf = (text: string): number => (text === '' ? 1 : Number(text.replace('*', '')));

/** Several things in a row with a mark between them, all blanks at random. */
const joined = (parts: readonly string[], mark: string, blanks: readonly string[]): string =>
  parts
    .map((part, i) => (i === 0 ? part : `${blanks[i] ?? ''}${mark}${blanks[i + 1] ?? ''}${part}`))
    .join('');

const blanks = fc.array(blank, { minLength: 8, maxLength: 8 });

/** What stands in parentheses is one thing; elsewhere `*` binds before `&`, and that before `|`. */
const { simple, alt } = fc.letrec<{
  simple: Written<Tree>;
  union: Written<Tree>;
  alt: Written<Tree>;
}>((tie) => ({
  simple: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'tree' },
    path.map(({ text, means }) => ({ text, means: leaf(means) })),
    fc.constantFrom<Written<Tree>>(
      { text: '~', means: { t: 'neg' } },
      { text: '!', means: { t: 'fail' } },
      { text: '$', means: { t: 'empty' } },
    ),
    fc
      .tuple(tie('alt'), blank, blank)
      .map(([{ text, means }, a, b]) => ({ text: `(${a}${text}${b})`, means })),
  ),
  union: fc
    .tuple(fc.array(fc.tuple(weight, tie('simple')), { minLength: 1, maxLength: 3 }), blanks)
    .map(([parts, between]) => {
      const [only] = parts;
      const text = joined(
        parts.map(([written, one]) => `${written}${one.text}`),
        '&',
        between,
      );
      const branches = parts.map(([written, one]) => ({
        weight: weightOf(written),
        tree: one.means,
      }));
      const isOne = parts.length === 1 && only !== undefined;
      return { text, means: isOne ? only[1].means : { t: 'union' as const, branches } };
    }),
  alt: fc
    .tuple(fc.array(tie('union'), { minLength: 1, maxLength: 3 }), blanks)
    .map(([parts, between]) => {
      const [only] = parts;
      const text = joined(
        parts.map((one) => one.text),
        '|',
        between,
      );
      const trees = parts.map((one) => one.means);
      const isOne = parts.length === 1 && only !== undefined;
      return { text, means: isOne ? only.means : { t: 'alt' as const, trees } };
    }),
}));

const rule: fc.Arbitrary<Written<Dentry>> = fc
  .tuple(
    fc.array(fc.oneof(segment, fc.constant(['*', '*'] as const)), { maxLength: 3 }),
    alt,
    blank,
    blank,
  )
  .map(([parts, dst, a, b]) => ({
    text: `/${parts.map(([written]) => written).join('/')}${a}=>${b}${dst.text}`,
    means: { prefix: parts.map(([, meant]) => meant), dst: dst.means },
  }));

const table: fc.Arbitrary<Written<Dtab>> = fc
  .tuple(fc.array(rule, { maxLength: 5 }), blanks, fc.boolean())
  .map(([rules, between, isClosed]) => ({
    text: `${between[0]}${joined(
      rules.map((one) => one.text),
      ';',
      between,
    )}${isClosed && rules.length > 0 ? `${between[7]};` : ''}${between[6]}`,
    means: rules.map((one) => one.means),
  }));

const read = <T>(
  parsed: ReturnType<typeof parseDtab> | { right: T } | { left: unknown },
): unknown => ('right' in parsed ? parsed.right : assert.fail(JSON.stringify(parsed.left)));

test('texts mean what they were made from: precedence, blanks, comments, escapes', () => {
  fc.assert(
    fc.property(alt, ({ text, means }) => assert.deepEqual(read(parseTree(text)), means)),
    RUNS,
  );
  fc.assert(
    fc.property(simple, ({ text, means }) => assert.deepEqual(read(parseTree(text)), means)),
    RUNS,
  );
  fc.assert(
    fc.property(table, ({ text, means }) => assert.deepEqual(read(parseDtab(text)), means)),
    RUNS,
  );
  fc.assert(
    fc.property(path, ({ text, means }) => assert.equal(read(parseName(text)), means)),
    RUNS,
  );
});

test('what is printed is read as the same again, and printed the same', () => {
  fc.assert(
    fc.property(table, ({ means }) => {
      const text = showDtab(means);
      const again = parseDtab(text);
      assert.deepEqual(read(again), means);
      if ('right' in again) assert.equal(showDtab(again.right), text);
    }),
    RUNS,
  );
  fc.assert(
    fc.property(alt, ({ means }) => assert.deepEqual(read(parseTree(showTree(means))), means)),
    RUNS,
  );
});

test('a text with one character changed is read or refused with the place, never more', () => {
  const change = fc.tuple(table, fc.nat(), fc.constantFrom(...'/|&;()*=>~!$#\\x .5é\n\0', ''));
  fc.assert(
    fc.property(change, ([{ text }, where, put]) => {
      const at = where % (text.length + 1);
      const changed = text.slice(0, at) + put + text.slice(at + 1);
      const parsed = parseDtab(changed);
      if (!isLeft(parsed)) {
        assert.deepEqual(read(parseDtab(showDtab(parsed.right))), parsed.right);
        return;
      }
      const { offset, line, column, message } = parsed.left;
      assert.ok(offset >= 0 && offset <= changed.length);
      const before = changed.slice(0, offset).split('\n');
      assert.deepEqual([line, column], [before.length, (before.at(-1)?.length ?? 0) + 1]);
      // The offending character stands as it is.
      assert.ok(
        !message
          .replace(/'\n' found/, '')
          .replace(/\[\n\]/, '')
          .includes('\n'),
      );
      assert.match(message, / expected but .* found at '/s);
    }),
    { numRuns: 1000 },
  );
});

interface Named {
  readonly id: string;
}

/** The rules by their definition: every rule, the last first, compared segment by segment. */
const plain = (dtab: Dtab, name: string, depth: number): Known<Named> => {
  if (depth >= 100) return { t: 'failed', cause: 'deep' };
  const parts = name === '/' ? [] : name.slice(1).split('/');
  const applying = [...dtab]
    .reverse()
    .filter(
      ({ prefix }) =>
        prefix.length <= parts.length && prefix.every((one, i) => one === '*' || one === parts[i]),
    );
  const [only] = applying;
  if (only === undefined || (applying.length === 1 && only.dst.t === 'neg'))
    return { t: 'ok', tree: name.startsWith('/#/') ? leaf({ id: name }) : { t: 'neg' } };
  const tried = applying.map(({ prefix, dst }) => ({ rest: parts.slice(prefix.length), dst }));
  for (const { rest, dst } of tried) {
    const known = plainTree(dtab, dst, { rest, depth });
    if (known.t !== 'ok' || known.tree.t !== 'neg') return known;
  }
  return { t: 'ok', tree: { t: 'neg' } };
};

/** The weight of the innermost union stays with a leaf. */
const lone = ({ weight, tree }: Branch<Named>): NameTree<Named> =>
  tree.t === 'leaf' && tree.weight === undefined ? { ...tree, weight } : tree;

const plainTree = (
  dtab: Dtab,
  tree: Tree,
  at: { readonly rest: readonly string[]; readonly depth: number },
): Known<Named> => {
  if (tree.t === 'leaf') {
    const own = tree.value === '/' ? [] : tree.value.slice(1).split('/');
    return plain(dtab, `/${[...own, ...at.rest].join('/')}`, at.depth + 1);
  }
  if (tree.t === 'alt') {
    const known = tree.trees.map((one) => plainTree(dtab, one, at));
    return (
      known.find((one) => one.t !== 'ok' || one.tree.t !== 'neg') ?? { t: 'ok', tree: { t: 'neg' } }
    );
  }
  if (tree.t !== 'union') return { t: 'ok', tree };
  const known = tree.branches.map((one) => ({ ...one, known: plainTree(dtab, one.tree, at) }));
  const good = known.flatMap((one) =>
    one.known.t === 'ok' && one.known.tree.t !== 'neg' && one.known.tree.t !== 'fail'
      ? [{ weight: one.weight, tree: one.known.tree }]
      : [],
  );
  const [first] = good;
  if (first !== undefined)
    return { t: 'ok', tree: good.length === 1 ? lone(first) : { t: 'union', branches: good } };
  return known.find((one) => one.known.t === 'failed')?.known ?? { t: 'ok', tree: { t: 'neg' } };
};

test('names are bound as by a plain evaluator that tries every rule', () => {
  const name = (first: string, ...more: readonly string[]) =>
    fc.tuple(fc.constant(first), fc.constantFrom('', ...more)).map((parts) => parts.join(''));
  // Each level leads to the next ones only, so that every name comes to an end.
  const level = (n: number) => {
    const to = fc.oneof(
      name('/#/x', '/y', '/z'),
      ...Array.from({ length: 3 - n }, (_, i) => name(`/l${n + i + 1}`, '/a', '/b')),
    );
    const simpleTree = fc.oneof(
      { weight: 5, arbitrary: to.map((text) => leaf(text as Path) as Tree) },
      { weight: 2, arbitrary: fc.constantFrom<Tree>({ t: 'neg' }, { t: 'fail' }, { t: 'empty' }) },
    );
    const union = fc
      .array(fc.tuple(fc.nat(9), simpleTree), { minLength: 2, maxLength: 3 })
      .map(
        (all): Tree => ({ t: 'union', branches: all.map(([w, tree]) => ({ weight: w, tree })) }),
      );
    const dst = fc.oneof(
      simpleTree,
      union,
      fc
        .array(fc.oneof(simpleTree, union), { minLength: 2, maxLength: 3 })
        .map((trees): Tree => ({ t: 'alt', trees })),
    );
    const prefix = fc
      .array(fc.constantFrom('a', 'b', '*'), { maxLength: 2 })
      .map((rest) => [`l${n}`, ...rest]);
    return fc.record({ prefix, dst });
  };
  const dtab = fc.array(fc.oneof(level(0), level(1), level(2)), { maxLength: 10 });
  const asked = fc.constantFrom('/l0', '/l0/a', '/l0/a/b', '/l1/b/c', '/l2/a', '/none', '/#/x');
  const ask = (id: Path): Known<Named | Path> => ({
    t: 'ok',
    tree: id.startsWith('/#/') ? leaf({ id: id as string }) : { t: 'neg' },
  });
  fc.assert(
    fc.property(dtab, asked, (rules, id) =>
      assert.deepEqual(evaluate<Named>(rules, id as Path, ask), plain(rules, id, 0)),
    ),
    { numRuns: 2000 },
  );
});
