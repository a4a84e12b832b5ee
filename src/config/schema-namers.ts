/** The part of the file format that says where names come from. Pure. */
import { list, type Of, TaggedCodec } from './codec.ts';
import { dnssrv } from './schema-namer-dns.ts';
import { fs } from './schema-namer-fs.ts';

const namer = new TaggedCodec('a namer', {
  'io.l5d.fs': fs,
  'io.l5d.dnssrv': dnssrv,
});

/** The namers of a file. */
export const namers = list(namer);

/** A namer as it stands in the file. */
export type RawNamer = Of<typeof namer>;

/** A namer as the rest of the program sees it: its files and folders are absolute. */
export type NamerConfig = RawNamer;
