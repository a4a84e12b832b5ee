/** Where a connection wants to go, by what is known of it: the first rule of its server that holds. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type {
  CertCondition,
  Conditions,
  CustomRule,
  IdentifyRule,
  NamedRule,
} from '../config/config.ts';
import {
  type Captures,
  captureNames,
  type Path,
  parsePath,
  segmentOf,
  substitute,
} from '../path.ts';
import type { ClientCert, Source } from '../source.ts';
import { makeIpList } from './ip-list.ts';
import { compilePatterns } from './pattern.ts';

/** What a connection was identified as. */
export interface Identified {
  readonly dst: Path;
  /** Where the rule stands in the file: `routers[0].servers[0].identify[2]`. */
  readonly rule: string;
}

/** The rules of a server; `undefined`: none holds. */
export type Identify = (source: Source) => Identified | undefined;

/** A rule of a plugin at work: the name that it gives, if it gives one. Errors: none. */
export type Identifier = (source: Source) => string | undefined;

/** Makes the rules of plugins. */
export type MakeIdentifier = (rule: CustomRule) => Identifier;

/** One condition: what it captured; `undefined`: it does not hold. */
type Check = (source: Source) => Captures | undefined;

const NONE: Captures = {};

/** Captures of the first value that a pattern matches. */
const firstOf = (
  values: readonly string[],
  match: (value: string) => Captures | undefined,
): Captures | undefined => {
  for (const value of values) {
    const captures = match(value);
    if (captures !== undefined) return captures;
  }
  return undefined;
};

/** What a certificate says, by the kind of condition, and what its patterns are divided by. */
const CERT_VALUES: Readonly<
  Record<keyof CertCondition, readonly [string, (cert: ClientCert) => readonly string[]]>
> = {
  subject: ['\n', ({ subject }) => [subject]],
  cn: ['.', ({ cn }) => (cn === undefined ? [] : [cn])],
  dns: ['.', ({ dns }) => dns],
  uri: ['/', ({ uris }) => uris],
  ip: ['\n', ({ ips }) => ips],
  spiffe: ['/', ({ spiffe }) => (spiffe === undefined ? [] : [spiffe])],
  fingerprint: ['\n', ({ fingerprint }) => [fingerprint]],
};

const isCertKind = (kind: string): kind is keyof CertCondition => Object.hasOwn(CERT_VALUES, kind);

const certChecks = (condition: CertCondition): readonly Check[] =>
  Object.entries(condition).flatMap(([kind, patterns]) => {
    if (!isCertKind(kind) || patterns === undefined) return [];
    const [separator, valuesOf] = CERT_VALUES[kind];
    const match = compilePatterns(patterns, separator);
    return [
      ({ cert }: Source) => (cert === undefined ? undefined : firstOf(valuesOf(cert), match)),
    ];
  });

const checksOf = ({ sni, alpn, source, localPort, clientCert }: Conditions): readonly Check[] => {
  const checks: Check[] = [];
  const holds = (isSo: (source: Source) => boolean): void => {
    checks.push((known) => (isSo(known) ? NONE : undefined));
  };
  if (localPort !== undefined) holds((known) => localPort.includes(known.localPort));
  if (alpn !== undefined) holds((known) => known.alpn.some((name) => alpn.includes(name)));
  if (source !== undefined) {
    const isIn = makeIpList(source);
    holds(({ ip }) => isIn(ip));
  }
  if (sni !== undefined) {
    const match = compilePatterns(sni, '.');
    checks.push((known) => (known.sni === undefined ? undefined : match(known.sni)));
  }
  if (clientCert !== undefined) {
    // One that asks for nothing more still asks for a certificate.
    holds(({ cert }) => cert !== undefined);
    checks.push(...certChecks(clientCert));
  }
  return checks;
};

/** Names that every rule may put into its destination. */
const BUILT_IN: ReadonlyMap<string, (source: Source) => string | undefined> = new Map([
  ['sni', ({ sni }: Source) => sni],
  ['alpn', ({ alpn }: Source) => alpn[0]],
  ['source', ({ ip }: Source) => ip],
  ['localPort', ({ localPort }: Source) => `${localPort}`],
]);

/** Puts in what a template names; what a stranger sends becomes part of one segment. `undefined`: something is missing. */
const compileTemplate = (template: string) => {
  const names = captureNames(template);
  return (source: Source, captured: Captures): Path | undefined => {
    const values: Record<string, string> = {};
    for (const name of names) {
      const known = BUILT_IN.get(name);
      const own = Object.hasOwn(captured, name) ? captured[name] : undefined;
      const value = segmentOf((known === undefined ? own : known(source)) ?? '');
      if (value === undefined) return undefined;
      values[name] = value;
    }
    return substitute(template, values) as Path;
  };
};

const compileNamed = ({ place, conditions, dst }: NamedRule): Identify => {
  const checks = checksOf(conditions);
  const fill = compileTemplate(dst);
  return (source) => {
    let captures = NONE;
    for (const check of checks) {
      const found = check(source);
      if (found === undefined) return undefined;
      if (found !== NONE) captures = captures === NONE ? found : Object.assign({}, captures, found);
    }
    const path = fill(source, captures);
    return path === undefined ? undefined : { dst: path, rule: place };
  };
};

/** What is no name is as good as none. */
const compileCustom = (rule: CustomRule, make: MakeIdentifier): Identify => {
  const identify = make(rule);
  return (source) => {
    const path = parsePath(identify(source) ?? '');
    return isLeft(path) ? undefined : { dst: path.right, rule: rule.place };
  };
};

/** Compiles the rules of a server: the first one that holds decides. */
export const compileIdentify = (rules: readonly IdentifyRule[], make: MakeIdentifier): Identify => {
  const compiled = rules.map((rule) =>
    'dst' in rule ? compileNamed(rule) : compileCustom(rule, make),
  );
  return (source) => {
    for (const identify of compiled) {
      const identified = identify(source);
      if (identified !== undefined) return identified;
    }
    return undefined;
  };
};

/** What rules come to for whoever it is; `undefined`: it depends. */
export const constantOf = (rules: readonly IdentifyRule[]): Identified | undefined => {
  const [first] = rules;
  if (first === undefined || !('dst' in first)) return undefined;
  if (Object.keys(first.conditions).length > 0 || captureNames(first.dst).length > 0)
    return undefined;
  return { dst: first.dst as Path, rule: first.place };
};
