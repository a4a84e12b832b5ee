/** The part of the file format that says where names come from. Pure. */
import { list, type Of, TaggedCodec } from './codec.ts';
import { consul } from './schema-namer-consul.ts';
import { dnssrv } from './schema-namer-dns.ts';
import { fs } from './schema-namer-fs.ts';

const namer = new TaggedCodec('a namer', {
  'io.l5d.fs': fs,
  'io.l5d.dnssrv': dnssrv,
  'io.l5d.consul': consul,
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

type RawConsul = Extract<RawNamer, { kind: 'io.l5d.consul' }>;

/** A namer as the rest of the program sees it: its folders are absolute, its files are read. */
export type NamerConfig = Exclude<RawNamer, RawConsul> | (RawConsul & { readonly pem: ApiPem });
