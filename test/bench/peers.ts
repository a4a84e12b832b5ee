/** The peers that linkerd-tcp is compared with: programs of Debian’s, each one process with one thread of work. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { accepts, freePort, runFolder, start, waitFor } from './children.ts';
import { type Recipe, type Variant, write } from './contenders.ts';

const MODULES = process.env['NGINX_MODULES'] ?? '/usr/lib/nginx/modules';
const MAX_CONNECTIONS = 9_500;
const TUNED_BYTES = 262_144;

const find = (program: string): string =>
  ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin']
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path)) ?? program;

/** Paths of the peers’ programs. */
export const PROGRAMS = { haproxy: find('haproxy'), nginx: find('nginx') } as const;

const haproxyConfig = (port: number, target: number, { tls, isTuned }: Variant): string => `global
  nbthread 1
  maxconn ${MAX_CONNECTIONS}
${isTuned === true ? `  tune.bufsize ${TUNED_BYTES}\n` : ''}defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen bench
  bind 127.0.0.1:${port}${tls === undefined ? '' : ` ssl crt ${tls.both}`}
  server backend 127.0.0.1:${target}
`;

/** haproxy. */
export const haproxy = (variant: Variant = {}): Recipe => {
  const { name = variant.isTuned === true ? 'haproxy tuned' : 'haproxy' } = variant;
  return {
    name,
    start: async (target) => {
      const port = await freePort();
      const file = write(`${name}.cfg`, haproxyConfig(port, target, variant));
      const child = start([PROGRAMS.haproxy, '-db', '-f', file]);
      await waitFor(child, () => accepts(port));
      return { name, port, child };
    },
  };
};

const nginxTls = (tls: Variant['tls']): string =>
  tls === undefined
    ? ''
    : `    ssl_certificate ${tls.cert};
    ssl_certificate_key ${tls.key};
    ssl_protocols TLSv1.2 TLSv1.3;
`;

const nginxConfig = (port: number, target: number, { tls, isTuned }: Variant): string => `
load_module ${join(MODULES, 'ngx_stream_module.so')};
worker_processes 1;
master_process off;
daemon off;
pid nginx.pid;
error_log stderr;
events { worker_connections ${2 * MAX_CONNECTIONS + 100}; }
stream {
  server {
    listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'} backlog=4096;
${nginxTls(tls)}    proxy_pass 127.0.0.1:${target};
    proxy_timeout 1h;
${isTuned === true ? `    proxy_buffer_size ${TUNED_BYTES};\n` : ''}  }
}
`;

/** nginx’s stream module. */
export const nginx = (variant: Variant = {}): Recipe => {
  const { name = variant.isTuned === true ? 'nginx tuned' : 'nginx' } = variant;
  return {
    name,
    start: async (target) => {
      const port = await freePort();
      const file = write(`${name}.conf`, nginxConfig(port, target, variant));
      const child = start([PROGRAMS.nginx, '-p', runFolder(), '-c', file, '-e', 'stderr']);
      await waitFor(child, () => accepts(port));
      return { name, port, child };
    },
  };
};

/** The peers that are installed, and a line for each that is not. */
export const findPeers = (): {
  readonly peers: ReadonlySet<string>;
  readonly missing: string[];
} => {
  const peers = new Set<string>();
  const missing: string[] = [];
  const look = (name: string, file: string, debian: string): void => {
    if (existsSync(file)) peers.add(name);
    else missing.push(`${name}: ${file} is missing (apt-get install ${debian})`);
  };
  look('haproxy', PROGRAMS.haproxy, 'haproxy');
  if (existsSync(PROGRAMS.nginx))
    look('nginx', join(MODULES, 'ngx_stream_module.so'), 'libnginx-mod-stream');
  else look('nginx', PROGRAMS.nginx, 'nginx libnginx-mod-stream');
  return { peers, missing };
};
