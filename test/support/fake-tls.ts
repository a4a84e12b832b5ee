/** TLS without a handshake on a handle of the test’s: what the test sends it as bytes comes out as records. */
import { createSecureContext } from 'node:tls';
import type { TlsHandle, TlsListener } from '../../src/socket/native-tls.ts';
import { FakeHandle, FakeNative, READS_IN_A_ROW } from './fake-handle.ts';

/** Most bytes of a record. */
const RECORD_BYTES = 16_384;

/** The library decrypts so many records of what one read of the connection below brings. */
const RECORDS_A_READ = 4;

/** Terms that nobody looks at. */
export const FAKE_TERMS = {
  side: 'server',
  context: createSecureContext(),
  contextOptions: {},
  clientAuth: 'none',
} as const;

const nothing = (): void => undefined;

class FakeTls extends FakeHandle implements TlsHandle {
  declare listener?: TlsListener | undefined;
  readonly setVerifyMode = nothing;
  readonly setALPNProtocols = nothing;
  readonly setServername = nothing;
  readonly setSession = nothing;
  readonly enableCertCb = nothing;
  readonly certCbDone = nothing;
  readonly enableSessionCallbacks = nothing;
  readonly start = nothing;
  readonly receive = nothing;
  readonly destroySSL = nothing;

  getServername(): false {
    return false;
  }

  getALPNNegotiatedProtocol(): false {
    return false;
  }

  getProtocol(): string {
    return 'TLSv1.3';
  }

  isSessionReused(): boolean {
    return false;
  }

  verifyError(): null {
    return null;
  }

  getPeerCertificate(): undefined {
    return undefined;
  }
}

/** A platform that speaks it. */
export class FakeTlsNative extends FakeNative {
  /** Those that were wrapped, in order. */
  readonly wrapped: FakeTls[] = [];
  readonly #recordBytes: number;

  /** `recordBytes`: how much the peer puts into a record. */
  constructor(recordBytes = RECORD_BYTES) {
    super();
    this.#recordBytes = recordBytes;
  }

  override wrapTls(): FakeTls {
    const inARow = (READS_IN_A_ROW * RECORDS_A_READ * RECORD_BYTES) / this.#recordBytes;
    const tls = new FakeTls(this, { inARow, most: this.#recordBytes });
    this.wrapped.push(tls);
    return tls;
  }
}
