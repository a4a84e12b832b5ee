/** Addresses of sockets as the log and the labels show them. Pure. */

const MAPPED = '::ffff:';

/** `10.0.0.1:80` or `[2001:db8::1]:80`; an IPv4 client of an IPv6 listener is shown as IPv4. */
export const showPeer = (ip: string, port: number): string => {
  if (ip.startsWith(MAPPED) && ip.includes('.')) return `${ip.slice(MAPPED.length)}:${port}`;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
};
