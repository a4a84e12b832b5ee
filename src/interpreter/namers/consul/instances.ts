/** Consul’s JSON of the instances of a service, read tolerantly. Pure. Source: Consul’s HTTP API, /v1/health/service. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { dnsName } from '../../../dns-name.ts';
import { canonicalIp } from '../../../ip.ts';
import type { HostPort } from '../hosts.ts';
import type { Meta } from '../namer.ts';

/** A state of health, as Consul writes it. */
export type Health = 'passing' | 'warning' | 'critical' | 'maintenance';

/** How instances are chosen and weighed. */
export interface Choice {
  readonly useHealthCheck: boolean;
  readonly healthStatuses: readonly Health[];
  readonly preferServiceAddress: boolean;
  readonly weights: readonly { readonly tag: string; readonly weight: number }[];
}

/** The instances of a service that are used. */
export interface Instances {
  /** There are instances, used or not. */
  readonly isKnown: boolean;
  readonly hosts: readonly HostPort[];
  readonly serviceMeta: Meta;
  /** Instances that cannot be used for what they say of themselves. */
  readonly flawed: number;
}

/** Most instances of one service. */
const MOST_INSTANCES = 20_000;

type Record_ = Readonly<Record<string, unknown>>;

const record = (value: unknown): Record_ =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record_) : {};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const SEVERITY: readonly Health[] = ['passing', 'warning', 'critical', 'maintenance'];

/** The worst of all checks; a node or a service in maintenance has a check that says so by its id. */
const healthOf = (checks: unknown): Health => {
  let worst = 0;
  for (const check of list(checks)) {
    const { Status: status, CheckID: id } = record(check);
    const isMaintenance =
      text(id) === '_node_maintenance' || text(id).startsWith('_service_maintenance:');
    const known = SEVERITY.indexOf(isMaintenance ? 'maintenance' : (text(status) as Health));
    // What is no status that is known is no good sign.
    worst = Math.max(worst, known < 0 ? SEVERITY.indexOf('critical') : known);
  }
  return SEVERITY[worst] ?? 'critical';
};

const DEFAULT_WEIGHT = 1;

const isWeight = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

const weightOf = (service: Record_, health: Health, { weights }: Choice): number => {
  if (weights.length > 0) {
    const tags = list(service['Tags']);
    const found = weights.filter(({ tag }) => tags.includes(tag)).map(({ weight }) => weight);
    return found.length > 0 ? Math.max(...found) : DEFAULT_WEIGHT;
  }
  const { Passing: passing, Warning: warning } = record(service['Weights']);
  const own = health === 'warning' ? warning : passing;
  return isWeight(own) ? own : DEFAULT_WEIGHT;
};

const hostOf = (entry: Record_, choice: Choice, health: Health): HostPort | undefined => {
  const [node, service] = [record(entry['Node']), record(entry['Service'])];
  const own = text(service['Address']);
  const address = choice.preferServiceAddress && own !== '' ? own : text(node['Address']);
  const port = service['Port'];
  const ip = canonicalIp(address);
  const host = ip ?? dnsName(address);
  const isPort = typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536;
  if (host === undefined || !isPort) return undefined;
  const meta = record(node['Meta']);
  return {
    host,
    isIp: ip !== undefined,
    port,
    weight: weightOf(service, health, choice),
    ...(Object.keys(meta).length === 0 ? {} : { meta: { node_meta: meta } }),
  };
};

/** Reads an answer. Bounds: 20,000 instances. Error: what was expected. */
export const readInstances = (body: string, choice: Choice): Either<string, Instances> => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return left('expected JSON, got something else');
  }
  if (!Array.isArray(json)) return left('expected a list of instances, got something else');
  if (json.length > MOST_INSTANCES)
    return left(`expected at most ${MOST_INSTANCES} instances, got ${json.length}`);
  const hosts: HostPort[] = [];
  let flawed = 0;
  for (const item of json) {
    const entry = record(item);
    const health = healthOf(entry['Checks']);
    if (choice.useHealthCheck && !choice.healthStatuses.includes(health)) continue;
    const host = hostOf(entry, choice, health);
    if (host === undefined) flawed += 1;
    else hosts.push(host);
  }
  const serviceMeta = record(record(record(json[0])['Service'])['Meta']);
  return right({ isKnown: json.length > 0, hosts, serviceMeta, flawed });
};
