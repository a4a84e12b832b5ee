/** The HTTP APIs that namers ask: trust, credentials, and where they are. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { readInto, type Workshop } from './build.ts';
import type { Of } from './codec.ts';
import type { Steps } from './document.ts';
import { parseKubeconfig, type Text } from './kubeconfig.ts';
import type { apiTls } from './schema-namer-consul.ts';
import type { ApiPem, KubeApiConfig, RawNamer } from './schema-namers.ts';

type RawApiTls = Of<typeof apiTls>;
type RawK8s = Extract<RawNamer, { kind: 'io.l5d.k8s' }>;

/** Reads what the API of a namer is trusted by, and what it is shown. */
export const buildPem = (shop: Workshop, raw: RawApiTls, steps: Steps): ApiPem => {
  const place = [...steps, 'tls'];
  const { trustCerts, certPath, keyPath } = raw;
  if ((certPath === undefined) !== (keyPath === undefined)) {
    const message = 'expected both of certPath and keyPath, got one';
    shop.errors.push({ steps: place, message });
  }
  const ca = trustCerts.map((path, i) => readInto(shop, path, [...place, 'trustCerts', i]));
  const cert = certPath && readInto(shop, certPath, [...place, 'certPath']);
  const key = keyPath && readInto(shop, keyPath, [...place, 'keyPath']);
  return {
    ...(ca.length > 0 && { ca: ca.join('\n') }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
};

/** The files of a kubeconfig are named from its own folder. */
const readKubeconfig = (
  shop: Workshop,
  { path, context }: { readonly path: string; readonly context: string | undefined },
  steps: Steps,
): KubeApiConfig | undefined => {
  const text = readInto(shop, path, steps);
  if (text === '') return undefined;
  const known = parseKubeconfig(text, context);
  if (isLeft(known)) {
    shop.errors.push({ steps, message: `${path}: ${known.left}` });
    return undefined;
  }
  const beside = (file: string): string => shop.files.beside(path, file);
  const read = (one: Text | undefined): string | undefined =>
    one && ('text' in one ? one.text : readInto(shop, beside(one.file), steps));
  const { server: base, token, ...rest } = known.right;
  const [ca, cert, key] = [read(rest.ca), read(rest.cert), read(rest.key)];
  return {
    base,
    pem: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    ...(token && ('text' in token ? { token: token.text } : { tokenFile: beside(token.file) })),
  };
};

/** The API server of Kubernetes; `undefined`: that of the cluster that the process runs in. */
export const buildKubeApi = (
  shop: Workshop,
  { host, port, kubeconfig, context }: RawK8s,
  steps: Steps,
): KubeApiConfig | undefined => {
  const wrong = (key: string, message: string): void => {
    shop.errors.push({ steps: [...steps, key], message });
  };
  if (host !== undefined && kubeconfig !== undefined)
    wrong('host', 'expected one of host and kubeconfig, got both');
  if (context !== undefined && kubeconfig === undefined)
    wrong('context', 'expected a kubeconfig with it, got none');
  if (kubeconfig !== undefined)
    return readKubeconfig(shop, { path: kubeconfig, context }, [...steps, 'kubeconfig']);
  if (host === undefined) return undefined;
  const authority = host.includes(':') ? `[${host}]` : host;
  return { base: `http://${authority}:${port}`, pem: {} };
};
