/** Certificates in memory, each signing itself, and so its own root. */
import { generate } from 'selfsigned';
import type { Identity } from '../../src/config/config.ts';

const DNS = 2;
const URI = 6;
const DAY_MS = 86_400_000;

export interface CertOptions {
  /** DNS names that it is good for; by default its common name. */
  readonly names?: readonly string[];
  readonly uris?: readonly string[];
  readonly isExpired?: boolean;
  /** With a key on P-256 instead of one of RSA. */
  readonly isEc?: boolean;
}

/** Makes one for a common name. */
export const makeCert = async (
  commonName: string,
  { names = [commonName], uris = [], isExpired = false, isEc = false }: CertOptions = {},
): Promise<Identity> => {
  const now = Date.now();
  const altNames = [
    ...names.map((value) => ({ type: DNS, value }) as const),
    ...uris.map((value) => ({ type: URI, value }) as const),
  ];
  const basics = { name: 'basicConstraints', cA: true } as const;
  const { cert, private: privateKey } = await generate(
    [{ name: 'commonName', value: commonName }],
    {
      ...(isEc ? { keyType: 'ec', curve: 'P-256' } : { keySize: 2048 }),
      notBeforeDate: new Date(now - 2 * DAY_MS),
      notAfterDate: new Date(now + (isExpired ? -DAY_MS : DAY_MS)),
      extensions: altNames.length === 0 ? [basics] : [basics, { name: 'subjectAltName', altNames }],
    },
  );
  return { certs: cert, privateKey };
};
