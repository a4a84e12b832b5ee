/** A connection on its way from being accepted to being identified: PROXY header, then ClientHello or handshake. */

import { showPeer } from '../address.ts';
import type { Bagged } from '../bag.ts';
import type { ClientHello } from '../client-hello/hello.ts';
import { HelloReader } from '../client-hello/read.ts';
import type { Close } from '../close-reason.ts';
import type { ServerConfig, ServerTlsConfig } from '../config/config.ts';
import { dnsName } from '../dns-name.ts';
import type { Peeked } from '../event.ts';
import { decodeProxyHeader, LONGEST_HEADER } from '../proxy-protocol/decode.ts';
import type { ProxyHeader } from '../proxy-protocol/header.ts';
import { ReadAhead } from '../socket/read-ahead.ts';
import type { PlainSocket, Socket } from '../socket/socket.ts';
import type { Source } from '../source.ts';
import type { Timer } from '../timers.ts';
import { type ApproachSetup, withHello, withTls } from './approached.ts';
import { type ClientHandshake, shakeHands, type TlsFacts } from './tls.ts';

const EMPTY = Buffer.alloc(0);

const nothing = (): void => undefined;

/** Longest ClientHello that is read, in bytes. */
export const LONGEST_HELLO = 64 * 1024;

/** Owns its socket until it is done, or dropped. */
export class Approach extends ReadAhead implements Bagged {
  slot = -1;
  readonly #setup: ApproachSetup;
  readonly #plain: PlainSocket;
  #source: Source;
  #peer: string | undefined;
  #peeked: Peeked | undefined;
  #look: () => void = nothing;
  #limit: Timer | undefined;
  #dropHandshake: (() => void) | undefined;
  #isOver = false;

  constructor(setup: ApproachSetup) {
    super(setup.socket);
    this.#setup = setup;
    this.#plain = setup.socket;
    this.#source = setup.source;
  }

  start(): void {
    const { config, rules, source } = this.#setup;
    const { proxyProtocol } = config;
    if (proxyProtocol === undefined) this.#admit();
    else if (rules.isTrusted?.(source.ip) === true) this.#readProxyHeader(proxyProtocol);
    else if (!proxyProtocol.required) this.#admit();
    else this.#fail({ reason: 'proxy-protocol', detail: 'not a trusted proxy' });
  }

  readonly drop = (): void => {
    this.#isOver = true;
    this.#limit?.drop();
    this.#dropHandshake?.();
    this.socket.destroy();
  };

  override data(memory: Buffer, length: number, isOurs: boolean): void {
    super.data(memory, length, isOurs);
    this.#look();
  }

  override ended(): void {
    super.ended();
    this.#look();
  }

  protected override get most(): number {
    return LONGEST_HELLO + LONGEST_HEADER;
  }

  protected override gone(code: string | undefined): void {
    const detail = code === undefined ? {} : { detail: code };
    this.#reject({ reason: 'departed', by: 'client', ...detail });
  }

  #readProxyHeader({ required, timeoutMs }: NonNullable<ServerConfig['proxyProtocol']>): void {
    const bad = (detail: string): void => this.#fail({ reason: 'proxy-protocol', detail });
    this.#within(timeoutMs, () => (required ? bad(`none in ${timeoutMs}ms`) : this.#admit()));
    this.#look = () => {
      const bytes = this.said.length === 1 ? (this.said[0] ?? EMPTY) : Buffer.concat(this.said);
      const decoded = decodeProxyHeader(bytes, { required });
      if (decoded.t === 'bad') bad(decoded.detail);
      else if (decoded.t === 'header') {
        const rest = bytes.subarray(decoded.length);
        this.keep(rest.length === 0 ? [] : [rest]);
        this.#believe(decoded.header);
        this.#admit();
      } else if (decoded.t === 'none' || (this.hasEnded && !required)) this.#admit();
      else if (this.hasEnded) bad('the client ended before it was whole');
    };
    this.begin();
  }

  /** A trusted proxy knows whom it speaks for. */
  #believe({ source, destination, tlvs }: ProxyHeader): void {
    const { source: seen } = this.#setup;
    const sni = tlvs?.authority === undefined ? undefined : dnsName(tlvs.authority);
    this.#peer = showPeer(seen.ip, seen.port);
    this.#source = {
      ip: source?.ip ?? seen.ip,
      port: source?.port ?? seen.port,
      localPort: destination?.port ?? seen.localPort,
      alpn: tlvs?.alpn === undefined ? seen.alpn : [tlvs.alpn],
      ...(destination === undefined ? {} : { localIp: destination.ip }),
      ...(sni === undefined ? {} : { sni }),
    };
  }

  /** Whose it is is known now. */
  #admit(): void {
    const { config, rules } = this.#setup;
    this.#calm();
    if (rules.isAllowed?.(this.#source.ip) === false)
      this.#reject({ reason: 'source-denied', by: 'proxy', place: `${config.place}.sources` });
    else if (config.tls !== undefined) this.#shake(config.tls);
    else if (config.peek !== undefined) this.#readHello(config.peek.timeoutMs);
    else this.#arrive(this.socket, undefined);
  }

  #readHello(timeoutMs: number): void {
    const reader = new HelloReader(LONGEST_HELLO);
    let read = 0;
    let length = 0;
    this.#within(timeoutMs, () => this.#found('late'));
    this.#look = () => {
      for (const bytes of this.said.slice(read)) {
        read += 1;
        length += bytes.length;
        const outcome = reader.push(bytes);
        if (outcome.t === 'more') continue;
        if (outcome.t === 'hello') this.#heed(outcome.hello);
        else if (outcome.t === 'plain') this.#found('plain');
        else
          this.#refuseHello(outcome.t === 'bad' ? outcome.detail : `over ${LONGEST_HELLO} bytes`);
        return;
      }
      if (this.hasEnded) this.#found('ended');
      // Records of a byte each make a little of much.
      else if (length >= this.most) this.#refuseHello(`over ${this.most} bytes`);
    };
    if (this.socket.owner === this) this.#look();
    else this.begin();
  }

  #heed(hello: ClientHello): void {
    this.#source = withHello(this.#source, hello);
    this.#found('hello');
  }

  #found(what: Peeked): void {
    this.#peeked = what;
    this.#arrive(this.socket, undefined);
  }

  #refuseHello(detail: string): void {
    this.#fail({ reason: 'client-hello', detail });
  }

  #shake(tls: ServerTlsConfig): void {
    const { server, config, timers, wallNow, at } = this.#setup;
    const begun = timers.now();
    const rest = Math.max(0, at + config.connectTimeoutMs - begun);
    const limitMs = Math.min(tls.handshakeTimeoutMs, rest);
    const { said } = this;
    this.forget();
    const done = (how: ClientHandshake): void => {
      this.#dropHandshake = undefined;
      if (how.t === 'secured') {
        const us = Math.round((timers.now() - begun) * 1000);
        this.#arrive(how.socket, how.facts, us);
      } else if (how.t === 'failed')
        this.#reject({ reason: 'tls-handshake', by: 'client', detail: how.detail });
      else if (limitMs < rest) this.#fail({ reason: 'tls-timeout', limit: `${limitMs}ms` });
      else this.#late();
    };
    const options = { server, config: tls, said, timers, wallNow, limitMs, done };
    this.#dropHandshake = shakeHands(this.#plain, options);
  }

  #late(): void {
    this.#fail({ reason: 'connect-timeout', limit: `${this.#setup.config.connectTimeoutMs}ms` });
  }

  /** `late` is called unless the stage is over in time. */
  #within(stageMs: number, late: () => void): void {
    const { timers, config, at } = this.#setup;
    const rest = at + config.connectTimeoutMs - timers.now();
    this.#limit = timers.after(Math.max(0, Math.min(stageMs, rest)), () =>
      stageMs < rest ? late() : this.#late(),
    );
  }

  #calm(): void {
    this.#limit?.drop();
    this.#look = nothing;
  }

  #arrive(socket: Socket, tls: TlsFacts | undefined, us = 0): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#calm();
    const isRead = socket === this.socket && socket.owner === this;
    const source = tls === undefined ? this.#source : withTls(this.#source, tls);
    this.#setup.done({
      t: 'here',
      socket,
      begun: isRead ? this : undefined,
      source,
      peer: this.#peer,
      tls,
      us,
      peeked: this.#peeked,
    });
  }

  #fail(close: Omit<Close, 'by' | 'place'>): void {
    const { place } = this.#setup.config;
    this.#reject({ by: 'client', place, ...close });
  }

  #reject(close: Close): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#calm();
    this.#plain.reset();
    this.#setup.done({ t: 'rejected', source: this.#source, close });
  }
}
