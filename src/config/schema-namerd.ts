/** The file of `linkerd-tcp namerd`, key by key. Pure. Source: namerd’s own configuration. */
import {
  absent,
  list,
  MapCodec,
  type Of,
  object,
  optional,
  required,
  TaggedCodec,
} from './codec.ts';
import type { FileKinds } from './kinds.ts';
import { log, pluginList } from './schema.ts';
import { namersOf } from './schema-namers.ts';
import * as v from './values.ts';

const admin = object('an object with the keys of admin', {
  ip: optional(v.ip, '127.0.0.1', 'Address of the admin server.'),
  port: optional(v.anyPort, 9991, 'Port of the admin server; 0 takes a free one.'),
});

const storage = new TaggedCodec('a storage', {
  'io.l5d.inMemory': object('an object with the keys of io.l5d.inMemory', {
    namespaces: optional(
      new MapCodec('a map of namespace to dtab', v.rules),
      new Map(),
      'Dtabs by namespace, at the start; what is changed ends with the process.',
    ),
  }),
  'io.l5d.fs': object('an object with the keys of io.l5d.fs', {
    rootDir: required(
      v.text,
      'Folder with a file of each namespace, `NAME.dtab`; made if it is missing.',
    ),
  }),
});

const tls = object('an object with the keys of tls', {
  certPath: required(v.text, 'PEM file with the certificate.'),
  keyPath: required(v.text, 'PEM file with its key.'),
  intermediateCertsPath: absent(v.text, 'none', 'PEM file with the rest of the chain.'),
  caCertPath: absent(
    v.text,
    'none',
    'PEM file with the roots of clients; `requireClientAuth` needs it.',
  ),
  requireClientAuth: optional(v.flag, false, 'Whether clients must show a certificate.'),
});

const controller = object('an object with the keys of io.l5d.httpController', {
  ip: optional(v.ip, '127.0.0.1', 'Address to listen on.'),
  port: optional(v.anyPort, 4180, 'Port to listen on; 0 takes a free one.'),
  tls: absent(tls, 'plain HTTP', 'Serves HTTPS.'),
  maxWatches: optional(v.count, 1000, 'Most watches at one time; more are answered 503.'),
});

const interfaces = new TaggedCodec('an interface', { 'io.l5d.httpController': controller });

/** An interface as it stands in the file. */
export type RawInterface = Of<typeof interfaces>;

/** The file, with what plugins add to it. */
export const namerdFileOf = (kinds: FileKinds) =>
  object('an object with storage, interfaces, …', {
    admin: optional(admin, { ip: '127.0.0.1', port: 9991 }, 'The admin server.'),
    log: absent(log, '`info`, as text', 'The log, on standard error.'),
    storage: required(storage, 'Where dtabs are kept.'),
    plugins: optional(
      pluginList,
      [],
      'Modules with namers of your own: files beside this one, or packages.',
    ),
    namers: optional(namersOf(kinds.namers), [], 'Where the names behind `/#` come from.'),
    interfaces: required(list(interfaces), 'What is served.'),
  });

/** The file as it stands, defaults filled in. */
export type RawNamerd = Of<ReturnType<typeof namerdFileOf>>;
