/** The yardstick: the least that a Node program can do to pass bytes on. `node bare.js PORT` → stdout: its own port. */
import net from 'node:net';

const target = Number(process.argv[2]);
const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const endpoint = net.connect({
    host: '127.0.0.1',
    port: target,
    allowHalfOpen: true,
    noDelay: true,
  });
  client.pipe(endpoint);
  endpoint.pipe(client);
  client.on('error', () => endpoint.destroy());
  endpoint.on('error', () => client.destroy());
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 511 }, () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.on('disconnect', () => process.exit());
