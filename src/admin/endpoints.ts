/** What the admin server offers, as data. Pure. */

/** One thing to ask for. */
export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly what: string;
}

/** Everything that can be asked for, in the order of the README. */
export const ENDPOINTS = [
  { method: 'GET', path: '/', what: 'this list' },
  { method: 'GET', path: '/ping', what: 'answers `pong`' },
  { method: 'GET', path: '/metrics', what: 'metrics in the text format of Prometheus' },
  { method: 'GET', path: '/config.json', what: 'the configuration in force' },
  {
    method: 'GET',
    path: '/routers.json',
    what: 'live: routers, their servers, names and endpoints with state, weight and load, and some of their connections',
  },
  {
    method: 'GET',
    path: '/delegator.json',
    what: 'how a name is delegated, step by step, with what namers say now: `?router=LABEL&path=/svc/web`',
  },
  {
    method: 'GET',
    path: '/explain',
    what: 'why a connection is routed as it is, as JSON: `?server=PORT&sni=NAME&alpn=PROTOCOL&source=IP&why-not=ADDRESS`',
  },
  {
    method: 'POST',
    path: '/recorder/dump',
    what: 'what `recorder` holds, as NDJSON for `linkerd-tcp replay`; 400 where it is off, or told to somebody else right now',
  },
  {
    method: 'POST',
    path: '/reload',
    what: 'reads the configuration file again, as SIGHUP does; 400 tells what is wrong with it',
  },
  {
    method: 'POST',
    path: '/shutdown',
    what: 'stops accepting, lets streams end, cuts the rest after `admin.graceSecs`',
  },
  { method: 'POST', path: '/abort', what: 'ends the process at once' },
] as const satisfies readonly Endpoint[];

/** The path of an endpoint. */
export type EndpointPath = (typeof ENDPOINTS)[number]['path'];

/** The list as plain text. */
export const endpointsText = (): string =>
  ENDPOINTS.map(
    ({ method, path, what }) => `${method} ${path}  ${what.replaceAll('`', '')}\n`,
  ).join('');

/** The list as a Markdown table, without a line break at the end. */
export const endpointsMarkdown = (): string =>
  [
    '| endpoint | what it does |',
    '| --- | --- |',
    ...ENDPOINTS.map(({ method, path, what }) => `| \`${method} ${path}\` | ${what} |`),
  ].join('\n');
