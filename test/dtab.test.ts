/** Dtabs: how they are read and written, which rules apply, and what names come to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { Dtab } from '../src/dtab/dtab.ts';
import { evaluate, type Known } from '../src/dtab/evaluate.ts';
import { explain } from '../src/dtab/explain.ts';
import { leaf, type NameTree } from '../src/dtab/name-tree.ts';
import { parseDtab, parseName, parseTree } from '../src/dtab/parse.ts';
import { showDtab, showDtabShort, showTree, showTreeShort } from '../src/dtab/print.ts';
import type { Path } from '../src/path.ts';

const dtab = (text: string): Dtab => {
  const parsed = parseDtab(text);
  if (isLeft(parsed)) assert.fail(parsed.left.message);
  return parsed.right;
};

const tree = (text: string): NameTree<Path> => {
  const parsed = parseTree(text);
  if (isLeft(parsed)) assert.fail(parsed.left.message);
  return parsed.right;
};

const READ: readonly (readonly [text: string, shown: string])[] = [
  ['/a', '/a'],
  [' /a|/b ', '/a | /b'],
  ['/a | /b & /c', '/a | /b & /c'],
  ['(/a | /b) & /c', '(/a | /b) & /c'],
  ['/a & (/b & /c)', '/a & (/b & /c)'],
  ['/a | (/b | /c)', '/a | (/b | /c)'],
  ['((/a))', '/a'],
  ['2 * /a', '/a'],
  ['2*/a & .5*/b & 5. * ~ & 1 * /d', '2*/a & 0.5*/b & 5*~ & /d'],
  ['! | ~ | $', '! | ~ | $'],
  ['/ | /#/io.l5d.fs', '/ | /#/io.l5d.fs'],
  ['/a # first\n | # then\n /b', '/a | /b'],
  ['/\\x61 | /a\\x2Fb', '/a | /\\x61\\x2f\\x62'],
  ['/a_b:c.d#e$f%g-h', '/a_b:c.d#e$f%g-h'],
];

for (const [text, shown] of READ)
  test(`${JSON.stringify(text)} is ${shown}`, () => assert.equal(showTree(tree(text)), shown));

const WRONG: readonly (readonly [text: string, message: string])[] = [
  ['invalid', "'/' expected but 'i' found at '[i]nvalid'"],
  ['/a=>', "'/', '(', '~', '!' or '$' expected but end of input found at '/a=>[]'"],
  ['/a = > /b', "'=>' expected but '=' found at '/a [=] > /b'"],
  ['/foo/*bar => /x', "'=>' expected but 'b' found at '/foo/*[b]ar => /x'"],
  ['/a/ => /b', "label expected but ' ' found at '/a/[ ]=> /b'"],
  ['/a => /b/', "label expected but end of input found at '/a => /b/[]'"],
  ['/a => 2 /b', "'*' expected but '/' found at '/a => 2 [/]b'"],
  ['/a => . * /b', "digit expected but '.' found at '/a => [.] * /b'"],
  ['/a => (/b', "')' expected but end of input found at '/a => (/b[]'"],
  ['/a => /b;; /c => /d', "'/' expected but ';' found at '/a => /b;[;] /c => /d'"],
  ['/a => /b /c', "end of input expected but '/' found at '/a => /b [/]c'"],
  ['/a => /b{c}', "end of input expected but '{' found at '/a => /b[{]c}'"],
  ['/a => /b | ', "'/', '(', '~', '!' or '$' expected but end of input found at '/a => /b | []'"],
];

for (const [text, message] of WRONG)
  test(`${text}: ${message}`, () => {
    const parsed = parseDtab(text);
    assert.ok(isLeft(parsed));
    assert.equal(parsed.left.message, message);
  });

test('an error knows its line and its column', () => {
  const parsed = parseDtab('/a => /b;\n  /c => ?');
  assert.ok(isLeft(parsed));
  const { line, column, offset } = parsed.left;
  assert.deepEqual([line, column, offset], [2, 9, 18]);
});

test('parentheses may be nested a hundred times, not without end', () => {
  assert.ok(isRight(parseTree(`${'('.repeat(100)}/a${')'.repeat(100)}`)));
  const parsed = parseTree('('.repeat(100_000));
  assert.ok(isLeft(parsed));
  assert.match(parsed.left.message, /at most 100 levels of '\('/);
  assert.ok(parsed.left.message.length < 300);
});

test('a dtab is rules, the last of them with or without its mark', () => {
  for (const text of ['', ' ', '# nothing\n']) assert.deepEqual(dtab(text), []);
  assert.equal(showDtab(dtab('/svc => /a ; /svc/*/b=>/c|/d;')), '/svc=>/a;/svc/*/b=>/c | /d');
  assert.equal(showDtab(dtab('/ => /a')), '/=>/a');
});

test('namerd shows two places of a weight, and 1 not at all', () => {
  const shown = showTreeShort(tree('0.333*/a & .001*/b & .999*/c & 3*/d'));
  assert.equal(shown, '0.33*/a & 0.00*/b & /c & 3.00*/d');
  assert.equal(showDtabShort(dtab('/a => .7*/b & .3*/c')), '/a=>0.70*/b & 0.30*/c');
});

const label = fc.string({
  unit: fc.constantFrom(...'abzAZ019_:.#$%-', '\\x00', '\\x2f', '\\xff', '\\x61'),
  minLength: 1,
  maxLength: 6,
});
const path = fc
  .array(label, { maxLength: 4 })
  .map((labels) => parseName(`/${labels.join('/')}`))
  .map((parsed) => (isRight(parsed) ? parsed.right : assert.fail(parsed.left.message)));
const PLAIN = { noNullPrototype: true };
const weight = fc.oneof(
  fc.nat(1000),
  fc.double({ min: 1e-9, max: 1e25, noNaN: true }),
  fc.constant(1),
);
const { anyTree } = fc.letrec<{ anyTree: NameTree<Path> }>((tie) => ({
  anyTree: fc.oneof(
    { maxDepth: 4 },
    path.map(leaf),
    fc.constantFrom({ t: 'neg' } as const, { t: 'fail' } as const, { t: 'empty' } as const),
    fc
      .array(tie('anyTree'), { minLength: 2, maxLength: 3 })
      .map((trees) => ({ t: 'alt', trees }) as const),
    fc
      .array(fc.record({ weight, tree: tie('anyTree') }, PLAIN), { minLength: 2, maxLength: 3 })
      .map((branches) => ({ t: 'union', branches }) as const),
  ),
}));
const element = fc.oneof(
  fc.constant('*'),
  path.map((one) => one.split('/')[1] || 'x'),
);
const anyDtab = fc.array(
  fc.record({ prefix: fc.array(element, { maxLength: 3 }), dst: anyTree }, PLAIN),
  {
    maxLength: 5,
  },
);

test('what is written is read as the same', () =>
  fc.assert(fc.property(anyDtab, (rules) => assert.deepEqual(dtab(showDtab(rules)), rules))));

test('no text breaks the reader', () =>
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'/ab*=>|&;()~!$#. 0\n\\x'), maxLength: 40 }),
      (text) => {
        const parsed = parseDtab(text);
        if (isRight(parsed)) assert.deepEqual(dtab(showDtab(parsed.right)), parsed.right);
      },
    ),
  ));

interface Leaf {
  readonly id: Path;
}

/** Namers know what begins with `/#/`, but for what says otherwise. */
const ask = (name: Path): Known<Leaf | Path> => {
  if (name.startsWith('/#/pending')) return { t: 'pending' };
  if (name.startsWith('/#/failed')) return { t: 'failed', cause: name };
  if (name.startsWith('/#/again')) return { t: 'ok', tree: leaf<Leaf | Path>('/svc' as Path) };
  if (name.startsWith('/#/') && !name.startsWith('/#/no'))
    return { t: 'ok', tree: leaf<Leaf | Path>({ id: name }) };
  return { t: 'ok', tree: { t: 'neg' } };
};

const bound = (rules: string, name = '/svc'): string => {
  const known = evaluate<Leaf>(dtab(rules), name as Path, ask);
  if (known.t === 'failed') return `failed ${known.cause}`;
  const paths = (one: NameTree<Leaf>): NameTree<Path> =>
    one.t === 'leaf'
      ? leaf(one.value.id)
      : one.t === 'union'
        ? { t: 'union', branches: one.branches.map((b) => ({ ...b, tree: paths(b.tree) })) }
        : one.t === 'alt'
          ? assert.fail('an alternative is left')
          : one;
  return known.t === 'ok' ? showTree(paths(known.tree)) : known.t;
};

const BOUND: readonly (readonly [what: string, rules: string, is: string, name?: string])[] = [
  ['no rule leads nowhere', '', '~'],
  ['a rule replaces its prefix', '/svc=>/#/a', '/#/a/x/y', '/svc/x/y'],
  ['by whole segments', '/sv=>/#/a', '~'],
  ['the last rule is preferred', '/svc=>/#/a;/svc=>/#/b', '/#/b'],
  ['and if it knows nothing the one before counts', '/svc=>/#/a;/svc=>/#/no', '/#/a'],
  ['whatever their length', '/svc/x=>/#/a;/svc=>/#/b', '/#/b/x', '/svc/x'],
  ['a star is one segment', '/svc/*/z=>/#/a', '/#/a/e', '/svc/x/z/e'],
  [
    'all names begin with a slash, also what that leads to',
    '/=>/#/a',
    'failed Max recursion level: 100 reached in Namer lookup',
  ],
  ['rules lead to rules', '/svc=>/b;/b=>/c;/c=>/#/a', '/#/a'],
  ['a namer may lead back to the rules', '/svc=>/#/a;/b=>/#/again', '/#/a', '/b'],
  ['the first alternative that is there counts', '/svc=>/#/no|/#/a|/#/b', '/#/a'],
  ['an empty one is there', '/svc=>$|/#/a', '$'],
  ['behind a failure nothing is tried', '/svc=>!|/#/a', '!'],
  ['nor behind what nobody knows yet', '/svc=>/#/pending|/#/a', 'pending'],
  ['nor behind an error', '/svc=>/#/failed|/#/a', 'failed /#/failed'],
  ['a union keeps what is there', '/svc=>2*/#/a&/#/no&!&3*/#/b', '2*/#/a & 3*/#/b'],
  ['one that is left stands for all', '/svc=>2*/#/a&/#/no', '/#/a'],
  ['unions stay nested', '/svc=>2*/b&/#/c;/b=>/#/d&/#/e', '2*(/#/d & /#/e) & /#/c'],
  ['nothing left is nothing', '/svc=>/#/no&~', '~'],
  ['what fails is left out beside what is there', '/svc=>/#/failed&/#/pending&/#/a', '/#/a'],
  ['with nothing there an error counts', '/svc=>/#/no&/#/pending&/#/failed', 'failed /#/failed'],
  ['and then what is not known yet', '/svc=>/#/pending&/#/no', 'pending'],
  ['a lone ~ is as no rule', '/#/a=>~', '/#/a', '/#/a'],
  ['two of them are an answer', '/#/a=>~|~', '~', '/#/a'],
  [
    'what leads round in a circle fails',
    '/svc=>/svc',
    'failed Max recursion level: 100 reached in Namer lookup',
  ],
  [
    'so does what doubles itself',
    '/svc=>/svc&/svc',
    'failed expected at most 1000 look-ups, got more',
  ],
];

for (const [what, rules, is, name] of BOUND)
  test(`${what}: ${rules} makes ${is}`, () => {
    const found = bound(rules, name);
    if (what.includes('doubles')) assert.match(found, /^failed /);
    else assert.equal(found, is);
  });

test('a hundred look-ups in a row are allowed', () => {
  const chain = (count: number): string =>
    Array.from({ length: count }, (_, i) => `/a${i}=>/a${i + 1};`).join('');
  assert.equal(bound(`${chain(98)}/a98=>/#/x`, '/a0'), '/#/x');
  assert.match(bound(`${chain(99)}/a99=>/#/x`, '/a0'), /^failed Max recursion/);
});

test('an explanation shows each step and the rule that led there', () => {
  const rules = dtab('/srv=>/#/a;/host=>/srv;/svc=>/host;/host/x=>/#/no');
  assert.deepEqual(explain<Leaf>(rules, '/svc/x' as Path, ask), {
    t: 'delegate',
    path: '/svc/x',
    tree: {
      t: 'alt',
      path: '/host/x',
      dentry: { prefix: '/svc', dst: '/host' },
      trees: [
        { t: 'neg', path: '/#/no', dentry: { prefix: '/host/x', dst: '/#/no' } },
        {
          t: 'delegate',
          path: '/srv/x',
          dentry: { prefix: '/host', dst: '/srv' },
          tree: {
            t: 'leaf',
            path: '/#/a/x',
            dentry: { prefix: '/srv', dst: '/#/a' },
            bound: { id: '/#/a/x' },
          },
        },
      ],
    },
  });
});

const many = (count: number, one: string, between: string): string =>
  Array.from({ length: count }, () => one).join(between);

test('rules that would be endless work fail, each by the bound that it meets', () => {
  const fails = (rules: string, cause: string, name = '/svc'): void =>
    assert.equal(bound(rules, name), `failed ${cause}`);
  const steps = 'expected at most 100000 rules and parts of them, got more';
  fails(many(2000, '/svc=>/svc', ';'), steps);
  fails(
    `/svc=>/svc|(${many(100_000, '~', '|')})`,
    'Max recursion level: 100 reached in Namer lookup',
  );
  fails(`/svc=>(${many(100_000, '~', '|')})`, steps);
  const long = `/${'x'.repeat(4091)}`;
  fails(`/svc=>/svc/y`, 'expected a name of at most 4096 characters, got 4098', `/svc${long}`);
  const nested = Array.from({ length: 30 }).reduce<string>((inner) => `(~|${inner}&~)`, '/svc');
  fails(`/svc=>${nested}`, 'expected at most 500 levels of names and parentheses, got more');
  const stars = Array.from({ length: 2 ** 13 }, (_, i) =>
    Array.from({ length: 13 }, (_unused, bit) => ((i >> bit) % 2 === 1 ? '/*' : '/svc')).join(''),
  );
  const deep = many(13, '/svc', '');
  fails(`${stars.map((prefix) => `${prefix}/z=>/#/a`).join(';')};/svc=>/svc`, steps, deep);
});

test('an explanation stops where it has told more than anybody can read', () => {
  for (const rules of [
    `/svc=>${many(2000, '/svc', '&')}`,
    `/svc=>${many(2000, '(/svc|/#/a)', '|')}`,
    `/svc=>${many(50_000, '/#/a', '&')}`,
    many(2000, '/svc=>/svc', ';'),
    `/svc=>${many(90, '(~|', '')}/svc${many(90, ')', '')}`,
    '/svc=>/svc/longer&/svc/y',
  ]) {
    const told = JSON.stringify(explain<Leaf>(dtab(rules), '/svc' as Path, ask));
    assert.ok(told.length < 6 * 2 ** 20, `${told.length} characters of ${rules.slice(0, 30)}`);
    assert.match(told, /"message":"Max recursion level reached\."/);
  }
});

test('evaluation ends, whatever the rules, and leaves no alternative', () =>
  fc.assert(
    fc.property(anyDtab, path, (rules, name) => {
      const known = evaluate<Leaf>(rules, name, ask);
      assert.ok(known.t !== 'ok' || !JSON.stringify(known.tree).includes('"alt"'));
    }),
  ));
