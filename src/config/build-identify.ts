/** Rules of identification: what no single key can see. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { canonicalIp } from '../ip.ts';
import { captureNames, type Path, parsePath, substitute } from '../path.ts';
import type { Workshop } from './build.ts';
import type { CertCondition, Conditions, IdentifyRule } from './config.ts';
import type { Steps } from './document.ts';
import { given } from './given.ts';
import { showPath, suggest } from './report.ts';
import type { RawServer } from './schema.ts';
import type { RawRule } from './schema-identify.ts';

/** What every rule may name in its dst. */
const BUILT_IN = ['sni', 'alpn', 'source', 'localPort'];

const lower = (texts: readonly string[] | undefined): readonly string[] | undefined =>
  texts?.map((text) => text.toLowerCase());

const certCondition = (raw: NonNullable<RawRule['clientCert']>): CertCondition =>
  given({
    ...raw,
    dns: lower(raw.dns),
    ip: raw.ip?.map((text) => canonicalIp(text) ?? text),
    fingerprint: lower(raw.fingerprint)?.map((text) => text.replaceAll(':', '')),
  });

const conditionsOf = ({ dst: _, sni, clientCert, ...rest }: RawRule): Conditions =>
  given({
    ...rest,
    sni: lower(sni),
    clientCert: clientCert === undefined ? undefined : certCondition(clientCert),
  });

/** The patterns of a rule, which may capture, by condition. */
const patternsOf = ({ sni = [], clientCert = {} }: Conditions): readonly (readonly string[])[] => [
  sni,
  ...Object.values(clientCert),
];

const repeated = (names: readonly string[]): readonly string[] => [
  ...new Set(names.filter((name, i) => names.indexOf(name) < i)),
];

/** Captures that would stand for two texts at once. */
const ambiguous = (conditions: readonly (readonly string[])[]): readonly string[] => [
  ...conditions
    .flat()
    .flatMap((pattern) =>
      repeated(captureNames(pattern)).map(
        (name) => `expected {${name}} once, got "${pattern}"; rename one`,
      ),
    ),
  ...repeated(conditions.flatMap((patterns) => [...new Set(patterns.flatMap(captureNames))])).map(
    (name) => `expected one condition to capture {${name}}, got several; rename one`,
  ),
];

const WILD = /[^./]\*|\*[^./]/;

/** What is wrong with the names in a rule. */
const offences = (dst: string, conditions: Conditions): readonly string[] => {
  const patternsBy = patternsOf(conditions);
  const patterns = patternsBy.flat();
  const captured = patterns.flatMap(captureNames);
  const known = [...BUILT_IN, ...captured];
  const sample = Object.fromEntries(captureNames(dst).map((name) => [name, 'x']));
  const path = parsePath(substitute(dst, sample));
  return [
    ...patterns
      .filter((pattern) => WILD.test(pattern))
      .map((pattern) => `expected * to stand for a whole label or segment, got "${pattern}"`),
    ...ambiguous(patternsBy),
    ...captured
      .filter((name) => BUILT_IN.includes(name))
      .map((name) => `expected a capture with a name of its own, got "{${name}}"; rename it`),
    ...captureNames(dst)
      .filter((name) => !known.includes(name))
      .map((name) => `dst: nothing captures {${name}}${suggest(name, known)}`),
    ...(isLeft(path) ? [`dst: expected ${path.left}, got "${dst}"`] : []),
  ];
};

/** Conditions that can never hold on a server, and what it lacks. */
const idle = (conditions: Conditions, { tls, peek }: RawServer): readonly string[] => {
  const names = tls === undefined && peek === undefined;
  const asks = (tls?.clientAuth?.mode ?? 'none') !== 'none';
  return [
    ...(names && conditions.sni !== undefined ? ['sni: the server has neither tls nor peek'] : []),
    ...(names && conditions.alpn !== undefined
      ? ['alpn: the server has neither tls nor peek']
      : []),
    ...(!asks && conditions.clientCert !== undefined
      ? ['clientCert: the server’s tls asks for no certificate (clientAuth)']
      : []),
  ];
};

const buildRule = (shop: Workshop, raw: RawRule, server: RawServer, steps: Steps): IdentifyRule => {
  const conditions = conditionsOf(raw);
  for (const message of [...offences(raw.dst, conditions), ...idle(conditions, server)])
    shop.errors.push({ steps, message });
  return { place: showPath(steps), conditions, dst: raw.dst };
};

/** The rules of a server: those of `identify`, or one for its `dstName`. */
export const buildIdentify = (
  shop: Workshop,
  raw: RawServer,
  steps: Steps,
): readonly IdentifyRule[] => {
  const { dstName, identify } = raw;
  if ((dstName === undefined) === (identify === undefined))
    shop.errors.push({
      steps,
      message: `expected one of dstName and identify, got ${dstName === undefined ? 'none' : 'both'}`,
    });
  if (dstName !== undefined)
    return [{ place: showPath([...steps, 'dstName']), conditions: {}, dst: dstName }];
  const rules = (identify ?? []).map((rule, i): IdentifyRule => {
    const place = [...steps, 'identify', i];
    return 'kind' in rule ? { ...rule, place: showPath(place) } : buildRule(shop, rule, raw, place);
  });
  const always = rules.findIndex(
    (rule) => 'conditions' in rule && Object.keys(rule.conditions).length === 0,
  );
  if (always >= 0 && always < rules.length - 1)
    shop.warnings.push({
      steps: [...steps, 'identify', always + 1],
      message: `is never reached: ${rules[always]?.place} has no conditions`,
    });
  return rules;
};

/** The names that a server’s connections may be routed to, as far as the file tells: for people. */
export const showDst = (rules: readonly IdentifyRule[]): Path =>
  [...new Set(rules.map((rule) => ('dst' in rule ? rule.dst : `(${rule.by})`)))].join(' ') as Path;
