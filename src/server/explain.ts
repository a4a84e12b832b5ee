/** Why a connection goes where it goes: each rule of its server, and each condition of each rule. */
import type { Conditions, ServerConfig } from '../config/config.ts';
import type { Source } from '../source.ts';
import { compileIdentify, type Identified, type MakeIdentifier } from './identify.ts';
import { compileRules } from './rules.ts';

/** One rule. */
export interface RuleExplained {
  /** Where it stands in the file. */
  readonly place: string;
  readonly isHeld: boolean;
  /** Conditions that do not hold, such as `sni: wants *.example.com, got none`; or why it was not reached. */
  readonly because: readonly string[];
}

/** What a server makes of a connection. */
export interface ServerExplained {
  /** Its sources let the client in. */
  readonly isAllowed: boolean;
  readonly rules: readonly RuleExplained[];
  readonly identified: Identified | undefined;
}

const seen = ({ ip, localPort, sni, alpn, cert }: Source): Readonly<Record<string, string>> => ({
  source: ip,
  localPort: `${localPort}`,
  sni: sni ?? 'none',
  alpn: alpn.join(' ') || 'none',
  clientCert: cert?.subject ?? 'none',
});

const shown = (wanted: unknown): string =>
  Array.isArray(wanted) ? wanted.join(' or ') : JSON.stringify(wanted);

/** The conditions that do not hold, each tried alone by the code that decides in earnest. */
const unmet = (conditions: Conditions, source: Source, make: MakeIdentifier): readonly string[] =>
  Object.entries(conditions).flatMap(([key, wanted]) => {
    const alone = { place: '', conditions: { [key]: wanted }, dst: '/' };
    if (compileIdentify([alone], make)(source) !== undefined) return [];
    return [`${key}: wants ${shown(wanted)}, got ${seen(source)[key] ?? 'none'}`];
  });

/** Explains a connection to a server. */
export const explainServer = (
  config: ServerConfig,
  source: Source,
  make: MakeIdentifier,
): ServerExplained => {
  const { isAllowed, identify } = compileRules(config, make);
  const identified = identify(source);
  let isOver = false;
  const rules = config.identify.map((rule): RuleExplained => {
    const { place } = rule;
    if (isOver) return { place, isHeld: false, because: ['not reached'] };
    const isHeld = identified?.rule === place;
    isOver = isHeld;
    if (isHeld) return { place, isHeld, because: [] };
    const because =
      'dst' in rule ? unmet(rule.conditions, source, make) : [`${rule.by} has no word`];
    return { place, isHeld, because: because.length > 0 ? because : ['its name lacks a part'] };
  });
  return { isAllowed: isAllowed?.(source.ip) ?? true, rules, identified };
};
