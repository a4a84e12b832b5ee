/** The DNS client: UDP, and TCP where an answer is too long for it. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect, isIPv6 } from 'node:net';
import { catchError, defer, from, map, Observable, of, switchMap, take, timeout } from 'rxjs';
import type { Env } from '../../env.ts';
import { canonicalIp } from '../../ip.ts';
import { ByteQueue } from '../bytes.ts';
import { Slots } from '../slots.ts';
import { decodeAnswer, encodeQuestion } from './message.ts';
import type { DnsAnswer, DnsPort, PlatformPort, Question } from './port.ts';

/** Longest wait for one server. */
const ANSWER_MS = 2_000;
/** How often each server is asked. */
const ROUNDS = 2;
/** Most questions on their way at one time; each has a socket. */
const MOST_QUESTIONS = 32;
/** Most questions to the platform: each holds one of its few threads. */
const MOST_LOOKUPS = 2;
const PORT = 53;
/** What the platform says has no lifetime. */
const PLATFORM_SECS = 5;
/** Ahead of a message over TCP stands its length. */
const LENGTH_BYTES = 2;

interface Server {
  readonly ip: string;
  readonly port: number;
  readonly text: string;
}

type Heard = DnsAnswer | 'truncated';

/** `192.0.2.1`, `192.0.2.1:5353`, `::1` or `[::1]:5353`. */
const readServer = (text: string): Server | undefined => {
  const [, bracketed, v4, portText] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const ip = canonicalIp(bracketed ?? v4 ?? text);
  if (ip === undefined) return undefined;
  return { ip, port: portText === undefined ? PORT : Number(portText), text };
};

const failed = (cause: string): DnsAnswer => ({ t: 'failed', cause });

/** Asks by UDP. What is no answer to the question is as if it had never come: others may have sent it. */
const byUdp = (question: Question, { ip, port }: Server): Observable<Heard> =>
  new Observable((out) => {
    const id = randomInt(65_536);
    const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
    socket.on('error', (error) => {
      out.next(failed(error.message));
      out.complete();
    });
    socket.on('message', (bytes) => {
      const heard = decodeAnswer(bytes, question, id);
      if (heard === undefined) return;
      out.next(heard);
      out.complete();
    });
    // Not as an argument of `connect`, which would be called with its error instead of `error` being told.
    socket.once('connect', () => {
      if (!out.closed) socket.send(encodeQuestion(question, id));
    });
    // Connected, so that only this server is heard, and its refusal too.
    socket.connect(port, ip);
    return () => socket.close();
  });

const byTcp = (question: Question, { ip, port }: Server): Observable<Heard> =>
  new Observable((out) => {
    const id = randomInt(65_536);
    const got = new ByteQueue();
    const end = (heard: Heard): void => {
      out.next(heard);
      out.complete();
    };
    const socket = connect({ host: ip, port, timeout: ANSWER_MS });
    const asked = encodeQuestion(question, id);
    socket.on('connect', () => {
      socket.write(Uint8Array.of(asked.length >> 8, asked.length & 0xff));
      socket.write(asked);
    });
    socket.on('data', (bytes: Uint8Array) => {
      got.push(bytes);
      const all = got.held;
      const wanted = LENGTH_BYTES + ((all[0] ?? 0) << 8) + (all[1] ?? 0);
      if (all.length < LENGTH_BYTES || all.length < wanted) return;
      const heard = decodeAnswer(all.subarray(LENGTH_BYTES, wanted), question, id);
      end(heard ?? failed('the answer is about something else'));
    });
    socket.on('error', (error) => end(failed(error.message)));
    socket.on('close', () => end(failed('the connection was cut')));
    return () => socket.destroy();
  });

/** One server, asked once. */
const askOne = (question: Question, server: Server, { scheduler }: Env): Observable<DnsAnswer> =>
  byUdp(question, server).pipe(
    switchMap((heard) => (heard === 'truncated' ? byTcp(question, server) : of(heard))),
    map((heard) => (heard === 'truncated' ? failed('the answer is truncated') : heard)),
    take(1),
    timeout({
      each: ANSWER_MS,
      scheduler,
      with: () => of(failed(`no answer within ${ANSWER_MS} ms`)),
    }),
    map((answer) =>
      answer.t === 'failed' ? failed(`DNS at ${server.text}: ${answer.cause}`) : answer,
    ),
  );

/** One server after the other, until one knows. */
const askAll = (
  question: Question,
  [server, ...others]: readonly Server[],
  env: Env,
): Observable<DnsAnswer> => {
  if (server === undefined) return of(failed('DNS: expected a server to ask, got none'));
  return askOne(question, server, env).pipe(
    switchMap((answer) =>
      answer.t === 'failed' && others.length > 0 ? askAll(question, others, env) : of(answer),
    ),
  );
};

/** Makes the client. `servers`: `ip` or `ip:port`; absent: those of the platform, read at each question. */
export const makeDns = (env: Env, servers?: readonly string[]): DnsPort => {
  const slots = new Slots(MOST_QUESTIONS);
  return (question) =>
    slots.hold(
      defer(() => {
        const known = (servers ?? getServers()).map(readServer).filter((one) => one !== undefined);
        const rounds = Array.from({ length: ROUNDS }, () => known).flat();
        return askAll(question, rounds, env);
      }),
    );
};

const NOBODY: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EAI_NODATA', 'EAI_NONAME']);

const lookUp = async (host: string): Promise<DnsAnswer> => {
  const found = await lookup(host, { all: true, verbatim: true });
  const ips = found.map(({ address }) => canonicalIp(address)).filter((ip) => ip !== undefined);
  return { t: 'found', ips: [...new Set(ips)], srvs: [], ttlSecs: PLATFORM_SECS };
};

/** Makes the port to what the platform knows. */
export const makePlatform = (): PlatformPort => {
  const slots = new Slots(MOST_LOOKUPS);
  return (host) =>
    slots.hold(
      defer(() => from(lookUp(host))).pipe(
        catchError((error: unknown) => {
          const code = error instanceof Error && 'code' in error ? String(error.code) : '';
          return of<DnsAnswer>(
            NOBODY.has(code)
              ? { t: 'none', ttlSecs: PLATFORM_SECS }
              : failed(`look-up of ${host}: ${code}`),
          );
        }),
      ),
    );
};
