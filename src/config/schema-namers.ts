/** The part of the file format that says where names come from. Pure. */
import type { Path } from '../path.ts';
import { absent, list, type Of, TaggedCodec } from './codec.ts';
import { type Custom, OpenCodec, type OptionsByKind } from './kinds.ts';
import { consul } from './schema-namer-consul.ts';
import { dnssrv } from './schema-namer-dns.ts';
import { fs } from './schema-namer-fs.ts';
import { k8s } from './schema-namer-k8s.ts';
import * as v from './values.ts';

/** The namers that come along. */
export const namer = new TaggedCodec('a namer', {
  'io.l5d.fs': fs,
  'io.l5d.dnssrv': dnssrv,
  'io.l5d.consul': consul,
  'io.l5d.k8s': k8s,
});

const own = {
  prefix: absent(v.namerPrefix, 'a slash and the kind', v.PREFIX_DOC),
};

/** The namers of a file, those of plugins among them. */
export const namersOf = (others: OptionsByKind) => list(new OpenCodec(namer, { others, own }));

/** A namer as it stands in the file. */
export type RawNamer = Of<ReturnType<typeof namersOf>>[number];

/** What is read of the files that `tls` names: PEM. */
export interface ApiPem {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The API server of Kubernetes. */
export interface KubeApiConfig {
  /** Without a slash at the end. */
  readonly base: string;
  readonly pem: ApiPem;
  readonly token?: string;
  /** Absolute; wins over `token`, and is read for each request. */
  readonly tokenFile?: string;
}

type RawConsul = Extract<RawNamer, { kind: 'io.l5d.consul' }>;
type RawK8s = Extract<RawNamer, { kind: 'io.l5d.k8s' }>;

/** A namer as the rest of the program sees it: its folders are absolute, its files are read. */
export type NamerConfig =
  | Exclude<RawNamer, RawConsul | RawK8s | Custom>
  | (Custom & { readonly prefix: Path })
  | (RawConsul & { readonly pem: ApiPem })
  /** `api`: absent: that of the cluster that the process runs in. */
  | (RawK8s & { readonly api: KubeApiConfig | undefined });
