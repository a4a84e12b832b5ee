/** A DNS server for tests, on UDP and TCP of one port: it answers what it is told to. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket as Stream } from 'node:net';
import type { TestContext } from 'node:test';
import { type Answer, decode, encode, type Packet, streamDecode, streamEncode } from 'dns-packet';

/** What it says to a question: records, a code such as `NXDOMAIN`, or nothing at all. */
export type Reply = readonly Answer[] | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'silence' | 'garbage';

const CODES: Readonly<Record<string, number>> = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 };
const RESPONSE = 0x8180;
const TRUNCATED = 0x0200;

export class DnsDouble {
  readonly asked: string[] = [];
  /** Answers by `TYPE name`. */
  readonly replies = new Map<string, Reply>();
  /** Answers by UDP that are longer are cut. */
  mostUdp = 1232;
  readonly #udp: Socket;
  readonly #tcp: Server;

  constructor(udp: Socket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on('message', (bytes, peer) => {
      const answer = this.#answer(bytes, 'udp');
      if (answer !== undefined) udp.send(answer, peer.port, peer.address);
    });
    tcp.on('connection', (stream) => this.#serve(stream));
  }

  get server(): string {
    return `127.0.0.1:${this.#udp.address().port}`;
  }

  close(): void {
    this.#udp.close();
    this.#tcp.close();
  }

  #serve(stream: Stream): void {
    stream.on('error', () => undefined);
    stream.on('data', (bytes) => {
      const answer = this.#answer(encode(streamDecode(bytes) as Packet), 'tcp');
      if (answer === undefined) return;
      // In two pieces, as large answers come.
      const framed = streamEncode(decode(answer) as Packet);
      stream.write(framed.subarray(0, 5));
      setImmediate(() => stream.end(framed.subarray(5)));
    });
  }

  #answer(bytes: Buffer, how: 'udp' | 'tcp'): Buffer | undefined {
    const { id = 0, questions = [] } = decode(bytes);
    const [question] = questions;
    const key = `${question?.type} ${question?.name}`;
    this.asked.push(`${how} ${key}`);
    const reply = this.replies.get(key) ?? 'NXDOMAIN';
    if (reply === 'silence') return undefined;
    if (reply === 'garbage') return Buffer.from('not DNS at all');
    const common = { type: 'response', id, questions } as const;
    if (typeof reply === 'string')
      return encode({ ...common, flags: RESPONSE | (CODES[reply] ?? 0) });
    const whole = encode({ ...common, flags: RESPONSE, answers: [...reply] });
    if (how === 'tcp' || whole.length <= this.mostUdp) return whole;
    return encode({ ...common, flags: RESPONSE | TRUNCATED });
  }
}

/** Starts one on a free port of loopback. */
export const startDns = async (context: TestContext): Promise<DnsDouble> => {
  const tcp = createServer().listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const address = tcp.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const udp = createSocket('udp4').bind(port, '127.0.0.1');
  await once(udp, 'listening');
  const double = new DnsDouble(udp, tcp);
  context.after(() => double.close());
  return double;
};
