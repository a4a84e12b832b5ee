/** A process that stores dtabs without pause until it is killed; tells each one that is stored, on a line. */
import { concatMap, expand, from, map, mergeMap } from 'rxjs';
import { FileStore } from '../../src/namerd/file-store.ts';
import { makeEnv } from './store.ts';
import { dtabOf } from './store-dtabs.ts';

const [folder = '', first = '0'] = process.argv.slice(2);
const store = new FileStore(folder, makeEnv());
const NAMES = ['a', 'b', 'c/d'];

from(NAMES)
  .pipe(
    mergeMap((name) =>
      store.put(name, dtabOf(Number(first))).pipe(
        map(() => Number(first)),
        expand((n) =>
          store.put(name, dtabOf(n + 1)).pipe(
            concatMap((outcome) => {
              if (outcome !== 'done') throw new Error(JSON.stringify(outcome));
              process.stdout.write(`${name} ${n + 1}\n`);
              return [n + 1];
            }),
          ),
        ),
      ),
    ),
  )
  .subscribe();
