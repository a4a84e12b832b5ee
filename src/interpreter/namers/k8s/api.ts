/** How the API server of Kubernetes is reached: by a kubeconfig, through a proxy, or from within the cluster. */
import { readFileSync } from 'node:fs';
import { of } from 'rxjs';
import type { NamerConfig } from '../../../config/config.ts';
import { makeHttp } from '../../http.ts';
import type { Transport } from '../../transport.ts';

/** An API server. */
export interface KubeApi {
  /** Without a slash at the end. */
  readonly base: string;
  readonly http: Transport;
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const WHAT = 'Kubernetes';

/** A token that is replaced now and then, read for each request; without one the server says that it misses it. */
const tokenIn = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
};

const bearer = (token: () => string) => (): Readonly<Record<string, string>> => {
  const text = token();
  return text === '' ? {} : { authorization: `Bearer ${text}` };
};

const unreachable = (cause: string): KubeApi => ({
  base: 'https://kubernetes.default.svc',
  http: () => of({ t: 'broken', cause: `${WHAT}: ${cause}` }),
});

/** What the platform tells every container of a cluster. */
const inCluster = (environment: NodeJS.ProcessEnv): KubeApi => {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (host === undefined)
    return unreachable(
      'expected to run in a cluster, since neither host nor kubeconfig is configured',
    );
  const ca = tokenIn(`${ACCOUNT}/ca.crt`);
  const headers = bearer(() => tokenIn(`${ACCOUNT}/token`));
  const authority = host.includes(':') ? `[${host}]` : host;
  return {
    base: `https://${authority}:${port}`,
    http: makeHttp({ headers, what: WHAT, ...(ca && { ca }) }),
  };
};

/** Finds the API server that a namer’s configuration means. */
export const kubeApi = (
  { api }: Extract<NamerConfig, { kind: 'io.l5d.k8s' }>,
  environment: NodeJS.ProcessEnv,
): KubeApi => {
  if (api === undefined) return inCluster(environment);
  const { base, pem, token, tokenFile } = api;
  const read = (): string => (tokenFile === undefined ? (token ?? '') : tokenIn(tokenFile));
  return { base, http: makeHttp({ ...pem, headers: bearer(read), what: WHAT }) };
};
