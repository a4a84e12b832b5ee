/** What a TLS client sends first, for tests that send it in another way. */
import { Duplex } from 'node:stream';
import tls from 'node:tls';

/** Gives the first write to a function. */
class DuplexTrap extends Duplex {
  readonly #caught: (bytes: Buffer) => void;

  constructor(caught: (bytes: Buffer) => void) {
    super();
    this.#caught = caught;
  }

  override _read(): void {}

  override _write(chunk: Buffer): void {
    this.#caught(chunk);
  }
}

/** What a client sends first. */
export const clientHello = (
  options: tls.ConnectionOptions = { servername: 'shop.example' },
): Promise<Buffer> =>
  new Promise((resolve) => {
    const probe = tls.connect({ ...options, socket: new DuplexTrap(resolve) });
    probe.on('error', () => undefined);
  });
