/**
 * The yardstick: the least that a Node program can do to pass bytes on. `node bare.js PORT [CERT KEY]` → its own port
 * as a message to its parent; with the files of a certificate its clients speak TLS.
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

const [, , target = '', certFile, keyFile = ''] = process.argv;
const OPTIONS = { allowHalfOpen: true, noDelay: true };

const join = (client: net.Socket): void => {
  const endpoint = net.connect({ host: '127.0.0.1', port: Number(target), ...OPTIONS });
  client.pipe(endpoint);
  endpoint.pipe(client);
  client.on('error', () => endpoint.destroy());
  endpoint.on('error', () => client.destroy());
};

const server =
  certFile === undefined
    ? net.createServer(OPTIONS, join)
    : tls.createServer(
        { ...OPTIONS, cert: readFileSync(certFile), key: readFileSync(keyFile) },
        join,
      );
server.listen({ host: '127.0.0.1', port: 0, backlog: 511 }, () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.on('disconnect', () => process.exit());
