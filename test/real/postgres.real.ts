/** PostgreSQL behind the daemon, driven by pgbench and psql. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { findProgram, makeScope, type Service, succeed } from '../support/process.ts';
import { route } from '../support/route.ts';
import { startPostgres } from '../support/servers.ts';

const scope = makeScope({ after });
let postgres: Service & { readonly cert: string };
let daemon: Daemon;

before(async () => {
  postgres = await startPostgres(scope);
  daemon = await startDaemon(scope, { routers: [route('db', [postgres.port])] });
});

const login = (port = daemon.ports[0]): readonly string[] => [
  ...['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres'],
];

const psql = (sql: string, mode = 'prefer', port?: number): Promise<string> =>
  succeed([
    findProgram('psql'),
    ...['-X', '-A', '-t', '-c', sql],
    `host=127.0.0.1 port=${port ?? daemon.ports[0]} user=postgres sslmode=${mode}`,
  ]);

/** A psql that reads its commands one by one as they are written. */
const openPsql = () => {
  const child = spawn(findProgram('psql'), ['-X', '-A', '-t', ...login()], { stdio: 'pipe' });
  const exited = once(child, 'exit');
  scope.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const lines = createInterface(child.stdout);
  const run = async (sql: string): Promise<unknown> => {
    const answer = Promise.race([once(lines, 'line'), exited]);
    child.stdin.write(`${sql}\n`);
    return (await answer)[0];
  };
  return { run };
};

test('pgbench commits every transaction, while a psql session idles', async () => {
  const session = openPsql();
  assert.equal(await session.run('select 6 * 7;'), '42');
  await succeed([findProgram('pgbench'), '-i', '-q', ...login(), 'postgres']);
  const load = ['-c', '8', '-j', '2', '-T', '5'];
  const output = await succeed([findProgram('pgbench'), ...load, ...login(), 'postgres']);
  assert.match(output, /number of failed transactions: 0 /);
  const done = /transactions actually processed: (\d+)/.exec(output)?.[1];
  const history = await psql('select count(*) from pgbench_history', 'prefer', postgres.port);
  assert.equal(history.trim(), done);
  assert.equal(await session.run('select 7 * 7;'), '49');
});

test('pgbench may connect anew for each transaction', async () => {
  const load = ['-C', '-S', '-c', '4', '-T', '2'];
  const output = await succeed([findProgram('pgbench'), ...load, ...login(), 'postgres']);
  assert.match(output, /number of failed transactions: 0 /);
});

test('a session asks for TLS in its own way, after the first bytes', async () => {
  const sql = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
  assert.equal((await psql(sql, 'require')).trim(), 't');
  assert.equal((await psql(sql, 'disable')).trim(), 'f');
});

test('a session asks for TLS and looks who answers', async () => {
  const seen = (host: string): Promise<string> => {
    const to = `host=${host} hostaddr=127.0.0.1 port=${daemon.ports[0]} user=postgres`;
    const trust = `sslmode=verify-full sslrootcert=${postgres.cert}`;
    const sql = 'select version from pg_stat_ssl where pid = pg_backend_pid()';
    return succeed([findProgram('psql'), '-X', '-A', '-t', '-c', sql, `${to} ${trust}`]);
  };
  assert.match(await seen('localhost'), /^TLSv1\.3/);
  await assert.rejects(seen('other.example'), /does not match host name "other.example"/);
});

test('a large answer arrives whole', async () => {
  const sql = 'select md5(i::text) from generate_series(1, 500000) i';
  assert.equal(await psql(sql), await psql(sql, 'prefer', postgres.port));
});

test('a large COPY goes in whole', async () => {
  await psql('create table copied (line text)');
  const lines = Array.from({ length: 300_000 }, (_, i) => `line ${i} ${'y'.repeat(i % 80)}`);
  const input = `copy copied from stdin;\n${lines.join('\n')}\n\\.\n`;
  await succeed([findProgram('psql'), '-X', '-v', 'ON_ERROR_STOP=1', ...login()], input);
  const sum = 'select count(*), sum(length(line)) from copied';
  const length = lines.reduce((total, line) => total + line.length, 0);
  assert.equal((await psql(sum)).trim(), `${lines.length}|${length}`);
});
