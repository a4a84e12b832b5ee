/** A TCP connection on a socket of Node. */
import { showPeer } from '../address.ts';
import type { Securing, Terms } from './secure.ts';
import type { PlainSocket } from './socket.ts';
import { StreamSocket } from './stream-socket.ts';
import { secureStream } from './stream-tls.ts';

/** Where the platform’s handles cannot be had. */
export class PlainStream extends StreamSocket implements PlainSocket {
  peer(): string | undefined {
    const { remoteAddress, remotePort } = this.node;
    return remoteAddress === undefined ? undefined : showPeer(remoteAddress, remotePort ?? 0);
  }

  secure(terms: Terms, securing: Securing): () => void {
    return secureStream(this.surrender(), terms, {
      ...securing,
      released: this.released,
      account: this.account,
    });
  }
}
