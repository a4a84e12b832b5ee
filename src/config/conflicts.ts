/** Parts of a config that cannot be together: labels and addresses that are taken twice. Pure. */
import type { Remark } from './build.ts';
import type { Config } from './config.ts';
import type { Steps } from './document.ts';

const ANY = ['0.0.0.0', '::'];

interface Taken {
  readonly ip: string;
  readonly port: number;
  readonly place: string;
  readonly steps: Steps;
}

const clash = (one: Taken, other: Taken): boolean =>
  one.port !== 0 &&
  one.port === other.port &&
  (one.ip === other.ip || ANY.includes(one.ip) || ANY.includes(other.ip));

const addresses = ({ admin, routers }: Config): readonly Taken[] => [
  ...routers.flatMap(({ servers }, i) =>
    servers.map(({ address: { ip, port }, place }, j) => ({
      ip,
      port,
      place: `${place}.port`,
      steps: ['routers', i, 'servers', j, 'port'],
    })),
  ),
  { ip: admin.ip, port: admin.port, place: 'admin.port', steps: ['admin', 'port'] },
];

/** Each label and each address that stands a second time, at its second place. */
export const conflicts = (config: Config): readonly Remark[] => {
  const labels = config.routers.flatMap(({ label }, i) => {
    const first = config.routers.findIndex((router) => router.label === label);
    const message = `expected a label of its own, got "${label}" as routers[${first}]; rename one`;
    return first === i ? [] : [{ steps: ['routers', i, 'label'], message }];
  });
  const taken = addresses(config);
  const ports = taken.flatMap((address, i) => {
    const first = taken.slice(0, i).find((other) => clash(address, other));
    const message = `expected a port of its own, got ${address.port} as ${first?.place}; change one`;
    return first === undefined ? [] : [{ steps: address.steps, message }];
  });
  return [...labels, ...ports];
};
