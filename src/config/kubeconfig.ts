/** Where an API server of Kubernetes is and who asks it, by a kubeconfig. Pure. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { parseSource } from './document.ts';

/** What of a kubeconfig is used; files are named, not read. */
export interface Kubeconfig {
  /** Without a slash at the end. */
  readonly server: string;
  readonly ca?: Text;
  readonly cert?: Text;
  readonly key?: Text;
  readonly token?: Text;
}

/** A text that stands in the file, or in another one. */
export type Text = { readonly text: string } | { readonly file: string };

type Json = Readonly<Record<string, unknown>>;

const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** The item of a list that has a name. */
const named = (items: unknown, name: string | undefined, what: string): Json | undefined => {
  const found = Array.isArray(items)
    ? items.map(record).find((item) => item['name'] === name)
    : undefined;
  return found && record(found[what]);
};

/** `X-data` holds base64, `X` names a file; the former wins. */
const dataOrFile = (json: Json, key: string): Text | undefined => {
  const data = text(json[`${key}-data`]);
  if (data !== undefined) return { text: Buffer.from(data, 'base64').toString('utf8') };
  const file = text(json[key]);
  return file === undefined ? undefined : { file };
};

const tokenOf = (user: Json): Text | undefined => {
  const token = text(user['token']);
  if (token !== undefined) return { text: token };
  const file = text(user['tokenFile']);
  return file === undefined ? undefined : { file };
};

const UNUSABLE = ['exec', 'auth-provider', 'username', 'password'] as const;

const read = (json: Json, wanted: string | undefined): Either<string, Kubeconfig> => {
  const name = wanted ?? text(json['current-context']);
  const context = named(json['contexts'], name, 'context');
  if (context === undefined) return left(`expected a context "${name ?? ''}", got none`);
  const cluster = named(json['clusters'], text(context['cluster']), 'cluster');
  const user = named(json['users'], text(context['user']), 'user') ?? {};
  const server = text(cluster?.['server']);
  if (cluster === undefined || server === undefined || !URL.canParse(server))
    return left(`expected a cluster with a server in the context "${name}", got none`);
  if (cluster['insecure-skip-tls-verify'] === true)
    return left(
      'expected a server that is verified, got insecure-skip-tls-verify; name its certificate-authority',
    );
  const odd = UNUSABLE.find((key) => user[key] !== undefined);
  if (odd !== undefined) return left(`expected a token or a client certificate, got ${odd}`);
  const [ca, cert, key, token] = [
    dataOrFile(cluster, 'certificate-authority'),
    dataOrFile(user, 'client-certificate'),
    dataOrFile(user, 'client-key'),
    tokenOf(user),
  ];
  return right({
    server: server.replace(/\/+$/, ''),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(token && { token }),
  });
};

/** Reads a kubeconfig. Error: what is missing, or cannot be used here. */
export const parseKubeconfig = (yaml: string, context?: string): Either<string, Kubeconfig> => {
  const source = parseSource(yaml);
  if (isLeft(source)) return left('expected YAML, got something else');
  return read(record(source.right.value), context);
};
