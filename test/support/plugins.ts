/** Modules of plugins for tests, as users write them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** One of each section, by the kit: nothing is imported. */
export const WHOLE = `
export default ({ rxjs, codecs: { object, required, optional, values }, kind, refuse, makeAddress, trees }) => ({
  api: 1,
  operators: {
    'com.example.gate': kind(
      object('an object with the keys of com.example.gate', {
        open: required(values.flag, 'Whether connections go on.'),
      }),
      ({ open }) => rxjs.map((envelope) => (open ? envelope : refuse(envelope, 'closed'))),
    ),
  },
  namers: {
    'com.example.shard': kind(
      object('an object with the keys of com.example.shard', {
        port: required(values.port, 'Where shards are.'),
      }),
      ({ port }, { prefix }) => (path) => {
        const addr$ = rxjs.of({
          t: 'bound',
          endpoints: [{ address: makeAddress('127.0.0.1', port), weight: 1 }],
        });
        const tree = path === '/1' ? trees.leaf({ id: prefix + path, residual: '/', addr$ }) : trees.NEG;
        return rxjs.of({ t: 'ok', tree });
      },
    ),
  },
  interpreters: {
    'com.example.fixed': kind(
      object('an object with the keys of com.example.fixed', {
        port: required(values.port, 'Where everything is.'),
      }),
      ({ port }) => ({
        resolve: () =>
          rxjs.concat(
            rxjs.of({
              t: 'bound',
              endpoints: [{ address: makeAddress('127.0.0.1', port), weight: 1 }],
            }),
            rxjs.NEVER,
          ),
      }),
    ),
  },
  identifiers: {
    'com.example.tenant': kind(
      object('an object with the keys of com.example.tenant', {
        of: optional(values.text, '127.0.0.1', 'Whose.'),
      }),
      ({ of }) => (source) => {
        if (source.ip !== of) throw new Error('who is this');
        return '/svc/1';
      },
    ),
  },
  loadBalancers: {
    'com.example.turns': kind(
      object('an object with the keys of com.example.turns', {
        step: optional(values.count, 1, 'How many are passed over.'),
      }),
      ({ step }) => ({ candidates, turn }) => candidates[(turn * step) % candidates.length],
    ),
  },
});
`;

/** Writes a file, and its folders. */
export const writeIn = async (folder: string, name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
};
