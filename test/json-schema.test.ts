/** The JSON Schema of files says what the codecs say: what is good is good to both. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRight } from 'fp-ts/lib/Either.js';
import { parse } from 'yaml';
import { schemaFor } from '../src/schema-command.ts';
import { codeBlocks } from './support/code-blocks.ts';
import { WHOLE, writeIn } from './support/plugins.ts';
import { makeScope, temporaryFolder } from './support/process.ts';

type Schema = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
};

const schemas = (value: unknown): readonly Schema[] => (Array.isArray(value) ? value : []);

const objectFits = (schema: Schema, value: Schema): boolean => {
  const { properties = {}, required = [], additionalProperties } = schema;
  const known = isObject(properties) ? properties : {};
  return (
    (required as string[]).every((key) => key in value) &&
    Object.entries(value).every(([key, one]) => {
      const property = known[key];
      if (isObject(property)) return fits(property, one);
      return isObject(additionalProperties)
        ? fits(additionalProperties, one)
        : additionalProperties !== false;
    })
  );
};

/** Whether a value is as a schema says, for the words that ours use. */
const fits = (schema: Schema, value: unknown): boolean => {
  const { type, minimum, maximum, minLength, items, anyOf, oneOf } = schema;
  if (
    type !== undefined &&
    typeOf(value) !== type &&
    !(type === 'number' && typeof value === 'number')
  )
    return false;
  if (typeof value === 'number')
    if (value < Number(minimum ?? value) || value > Number(maximum ?? value)) return false;
  if (typeof value === 'string' && value.length < Number(minLength ?? 0)) return false;
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return false;
  if ('const' in schema && schema['const'] !== value) return false;
  if (Array.isArray(value) && isObject(items) && !value.every((one) => fits(items, one)))
    return false;
  if (isObject(value) && !objectFits(schema, value)) return false;
  if (anyOf !== undefined && !schemas(anyOf).some((one) => fits(one, value))) return false;
  return oneOf === undefined || schemas(oneOf).filter((one) => fits(one, value)).length === 1;
};

const schemaOf = (of: 'config' | 'namerd' | 'scenario', config?: string): Schema => {
  const text = schemaFor(of, config);
  assert.ok(isRight(text));
  return JSON.parse(text.right);
};

const README = codeBlocks(readFileSync('README.md', 'utf8')).filter(
  ({ language }) => language === 'yaml',
);
const FOLDER = 'marbles/scenarios';
const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

test('what is valid fits the schema', () => {
  const [config, scenario, namerd] = [schemaOf('config'), schemaOf('scenario'), schemaOf('namerd')];
  const files = [...README.map(({ text }) => text), ...readdirSync(FOLDER).map(textOf)];
  for (const text of files) {
    const value: unknown = parse(text);
    assert.ok(isObject(value));
    const isOwn = text.includes('com.example');
    if ('arrivals' in value) assert.ok(fits(scenario, value), text);
    else if ('interfaces' in value) assert.ok(fits(namerd, value), text);
    else if ('routers' in value && !isOwn) assert.ok(fits(config, value), text);
  }
  assert.ok(fits(config, parse(readFileSync('config/quickstart.yaml', 'utf8'))));
  assert.ok(fits(config, parse(readFileSync('config/namerd.yaml', 'utf8'))));
});

test('what is not valid does not', () => {
  const config = schemaOf('config');
  const wrong = [
    {},
    { routers: 1 },
    { routers: [{ label: 'r', servers: [], nosuch: 1 }] },
    { routers: [{ label: 'r', servers: [{ port: 70_000, dstName: '/a' }] }] },
    { routers: [{ label: 'r', servers: [], operators: [{ kind: 'io.l5d.nosuch' }] }] },
    { routers: [{ label: 'r', servers: [], interpreter: { kind: 'static' } }] },
  ];
  for (const one of wrong) assert.ok(!fits(config, one), JSON.stringify(one));
  assert.ok(fits(config, { routers: [{ label: 'r', servers: [] }] }));
});

test('plugins add their kinds, with their options', async (t) => {
  const folder = await temporaryFolder(makeScope(t));
  await writeIn(folder, 'p.mjs', WHOLE);
  const file = await writeIn(folder, 'c.yaml', 'plugins: [./p.mjs]');
  const schema = schemaOf('config', file);
  const router = (operator: object) => ({
    routers: [{ label: 'r', servers: [], operators: [operator] }],
  });
  assert.ok(fits(schema, router({ kind: 'com.example.gate', open: true, shadow: true })));
  assert.ok(!fits(schema, router({ kind: 'com.example.gate', open: 1 })));
  assert.ok(!fits(schemaOf('config'), router({ kind: 'com.example.gate', open: true })));
});
