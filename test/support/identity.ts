/** A certificate and its key as files, made without any program. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { type Scope, temporaryFolder } from './process.ts';

/** Paths as `tls.defaultIdentity` wants them. The certificate signs itself, and so serves as a root too. */
export interface IdentityFiles {
  readonly certs: readonly string[];
  readonly privateKey: string;
}

/** Makes one for a DNS name. */
export const makeIdentity = async (scope: Scope, name: string): Promise<IdentityFiles> => {
  const folder = await temporaryFolder(scope);
  const altNames = [{ type: 2 as const, value: name }];
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keySize: 2048,
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  const identity = { certs: [join(folder, 'cert.pem')], privateKey: join(folder, 'key.pem') };
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(identity.privateKey, key);
  return identity;
};
