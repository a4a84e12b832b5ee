/** Configs for tests against the daemon: one router, one name, static endpoints, any port. */

export interface RouteOptions {
  /** Keys of the server beside `port` and `dstName`. */
  readonly server?: object;
  /** Keys of the client. */
  readonly client?: object;
  readonly operators?: readonly object[];
}

/** A router `label` whose one server leads to endpoints on these ports of 127.0.0.1. */
export const route = (
  label: string,
  endpoints: readonly number[],
  { server = {}, client = {}, operators = [] }: RouteOptions = {},
) => ({
  label,
  interpreter: {
    kind: 'static',
    names: { [`/svc/${label}`]: endpoints.map((port) => `127.0.0.1:${port}`) },
  },
  operators,
  servers: [{ port: 0, dstName: `/svc/${label}`, ...server }],
  client: { kind: 'io.l5d.global', ...client },
});
