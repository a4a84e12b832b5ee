/** The part of the file format that says where names come from. Pure. */
import { list, type Of, TaggedCodec } from './codec.ts';
import { consul } from './schema-namer-consul.ts';
import { dnssrv } from './schema-namer-dns.ts';
import { fs } from './schema-namer-fs.ts';
import { k8s } from './schema-namer-k8s.ts';

const namer = new TaggedCodec('a namer', {
  'io.l5d.fs': fs,
  'io.l5d.dnssrv': dnssrv,
  'io.l5d.consul': consul,
  'io.l5d.k8s': k8s,
});

/** The namers of a file. */
export const namers = list(namer);

/** A namer as it stands in the file. */
export type RawNamer = Of<typeof namer>;

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
  | Exclude<RawNamer, RawConsul | RawK8s>
  | (RawConsul & { readonly pem: ApiPem })
  /** `api`: absent: that of the cluster that the process runs in. */
  | (RawK8s & { readonly api: KubeApiConfig | undefined });
