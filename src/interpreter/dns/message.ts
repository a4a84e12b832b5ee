/** Questions and answers of DNS as bytes. Pure. */
import { type Answer, decode, encode, type Packet } from 'dns-packet';
import { canonicalIp } from '../../ip.ts';
import type { DnsAnswer, Question, Srv } from './port.ts';

/** Largest answer by UDP that is not cut on its way (DNS flag day 2020). */
const UDP_BYTES = 1232;

/** An answer without any hint is kept so long. */
const NEGATIVE_SECS = 5;

/** Most records of one answer that are read. */
const MOST_RECORDS = 4096;

/** A question as bytes; `id` tells its answer from others’. */
export const encodeQuestion = ({ name, type }: Question, id: number): Uint8Array =>
  encode({
    type: 'query',
    id,
    // Recursion desired.
    flags: 0x0100,
    questions: [{ type, name, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });

const lower = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** The names that an answer is about: the one that was asked for, and those that it stands for, in whatever order they are told. */
const chainOf = (name: string, records: readonly Answer[]): ReadonlySet<string> => {
  const aliases = new Map<string, string[]>();
  for (const record of records)
    if (record.type === 'CNAME') {
      const alias = lower(record.name);
      const targets = aliases.get(alias) ?? [];
      targets.push(lower(record.data));
      aliases.set(alias, targets);
    }
  const chain = new Set([name]);
  // A set that grows is walked to its new end.
  for (const one of chain) for (const target of aliases.get(one) ?? []) chain.add(target);
  return chain;
};

const ttlOf = (records: readonly Answer[]): number =>
  Math.min(...records.map((record) => ('ttl' in record ? (record.ttl ?? 0) : 0)));

const srvOf = ({
  priority = 0,
  weight = 0,
  port,
  target,
}: {
  readonly priority?: number | undefined;
  readonly weight?: number | undefined;
  readonly port: number;
  readonly target: string;
}): Srv => ({ priority, weight, port, target: lower(target) });

const negative = ({ authorities = [] }: Packet): DnsAnswer => {
  const soa = authorities.find((record) => record.type === 'SOA');
  const ttlSecs =
    soa?.type === 'SOA' ? Math.min(soa.ttl ?? 0, soa.data.minimum ?? 0) : NEGATIVE_SECS;
  return { t: 'none', ttlSecs };
};

const positive = ({ name, type }: Question, packet: Packet): DnsAnswer => {
  const records = (packet.answers ?? []).slice(0, MOST_RECORDS);
  const chain = chainOf(name, records);
  const about = records.filter((record) => chain.has(lower(record.name)));
  const ips: string[] = [];
  const srvs: Srv[] = [];
  for (const record of about) {
    if (record.type !== type) continue;
    if (record.type === 'SRV') srvs.push(srvOf(record.data));
    else if (record.type === 'A' || record.type === 'AAAA') {
      const ip = canonicalIp(record.data);
      if (ip !== undefined && !ips.includes(ip)) ips.push(ip);
    }
  }
  if (ips.length === 0 && srvs.length === 0) return negative(packet);
  const used = about.filter((record) => record.type === type || record.type === 'CNAME');
  return { t: 'found', ips, srvs, ttlSecs: ttlOf(used) };
};

const isAnswerTo = (packet: Packet, { name, type }: Question, id: number): boolean => {
  const [question] = packet.questions ?? [];
  return (
    packet.type === 'response' &&
    packet.id === id &&
    question !== undefined &&
    question.type === type &&
    lower(question.name) === name
  );
};

type Decoded = Packet & {
  readonly flag_tc?: boolean;
  readonly flag_aa?: boolean;
  readonly flag_ra?: boolean;
  readonly rcode?: string;
};

/** A server that neither knows the name nor asks others for it says nothing about it. */
const isLame = ({ answers = [], flag_aa, flag_ra }: Decoded): boolean =>
  answers.length === 0 && flag_aa !== true && flag_ra !== true;

/** What bytes say: an answer, that it is too long for UDP, or, `undefined`, nothing about this question. */
export const decodeAnswer = (
  bytes: Uint8Array,
  question: Question,
  id: number,
): DnsAnswer | 'truncated' | undefined => {
  let packet: Decoded;
  try {
    packet = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch {
    return undefined;
  }
  if (!isAnswerTo(packet, question, id)) return undefined;
  if (packet.flag_tc === true) return 'truncated';
  switch (packet.rcode) {
    case 'NOERROR':
      return isLame(packet)
        ? { t: 'failed', cause: 'a server that looks no names up for others' }
        : positive(question, packet);
    case 'NXDOMAIN':
      return negative(packet);
    default:
      return { t: 'failed', cause: `${packet.rcode}` };
  }
};
