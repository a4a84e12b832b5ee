/** Makes the namers that the configuration names. */
import { defer } from 'rxjs';
import type { NamerConfig } from '../../config/config.ts';
import type { Env } from '../../env.ts';
import type { Path } from '../../path.ts';
import { makeCustomNamer } from '../../plugins/make.ts';
import { makeDns, makePlatform } from '../dns/client.ts';
import { makeHosts } from '../dns/hosts.ts';
import { makeHttp } from '../http.ts';
import { makeConsul } from './consul/consul.ts';
import { makeDnsSrv } from './dnssrv.ts';
import { makeFs } from './fs/fs.ts';
import type { Resolve } from './hosts.ts';
import { INET, makeInet } from './inet.ts';
import { kubeApi } from './k8s/api.ts';
import { makeK8s } from './k8s/k8s.ts';
import type { Namer } from './namer.ts';
import { makeRegistry, type Registered } from './registry.ts';

/** What namers share. */
interface Shared {
  readonly resolve: Resolve;
  readonly platform: ReturnType<typeof makePlatform>;
}

/** Made with its first name: one that throws then fails its own names. */
const lazily = (make: () => Namer): Namer => {
  let made: Namer | undefined;
  return (path) =>
    defer(() => {
      made ??= make();
      return made(path);
    });
};

const makeOne = (config: NamerConfig, { resolve, platform }: Shared, env: Env): Registered => {
  const prefix = `/#${config.prefix}` as Path;
  switch (config.kind) {
    case 'io.l5d.fs':
      return { prefix, namer: makeFs({ config, prefix, resolve }, env) };
    case 'io.l5d.consul': {
      const { token, pem } = config;
      const headers = () => (token === undefined ? {} : { 'x-consul-token': token });
      const http = makeHttp({ ...pem, headers, what: 'Consul' });
      return { prefix, namer: makeConsul({ config, prefix, resolve, http }, env) };
    }
    case 'io.l5d.k8s':
      return { prefix, namer: makeK8s({ config, prefix, api: kubeApi(config, process.env) }, env) };
    case 'custom':
      return { prefix, namer: lazily(() => makeCustomNamer(config, prefix, env)) };
    case 'io.l5d.dnssrv': {
      const dns = makeDns(env, config.dnsHosts);
      const asked = config.dnsHosts === undefined ? resolve : makeHosts({ dns, platform }, env);
      return { prefix, namer: makeDnsSrv({ config, prefix, dns, resolve: asked }, env) };
    }
  }
};

/** One namer for all names: `/#/…` by the namers, `/$/inet/…` by DNS. Nothing is asked before a name is. */
export const makeNamers = (configs: readonly NamerConfig[], env: Env): Namer => {
  const platform = makePlatform();
  const resolve = makeHosts({ dns: makeDns(env), platform }, env);
  return makeRegistry([
    { prefix: INET, namer: makeInet(resolve) },
    ...configs.map((config) => makeOne(config, { resolve, platform }, env)),
  ]);
};
