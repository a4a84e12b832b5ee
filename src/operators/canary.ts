/** `io.l5d.canary`: sends a part of the clients of a name to another one, each client always to the same. */
import { map } from 'rxjs';
import { object, optional, required } from '../config/codec.ts';
import * as v from '../config/values.ts';
import { hashOf } from '../hash.ts';
import type { Path } from '../path.ts';
import { operatorKind } from './kind.ts';
import { ipOf, noted } from './scope.ts';

const options = object('an object with the keys of io.l5d.canary', {
  dst: required(v.path, 'The name, and those below it.'),
  to: required(v.path, 'Where the part goes; what stands behind `dst` in the name is kept.'),
  percent: required(v.number('a number from 0 to 100', 0, 100), 'Part of the clients, by address.'),
  salt: optional(
    v.rules,
    '',
    'Another text makes other clients the part; equal ones make canaries of the same clients.',
  ),
});

/** A text as a number in [0, 1). */
const shareOf = (text: string): number => hashOf(text) / 2 ** 32;

/** The canary’s clients are noted as such. */
export const canary = operatorKind(options, ({ dst, to, percent, salt }) => {
  const below = dst === '/' ? dst : `${dst}/`;
  return map((envelope) => {
    const { dst: name } = envelope;
    if (name !== dst && !name.startsWith(below)) return envelope;
    if (shareOf(`${salt} ${ipOf(envelope)}`) * 100 >= percent) return envelope;
    const rest = name.slice(dst === '/' ? 0 : dst.length);
    const notes = noted(envelope, 'canary', dst);
    return { ...envelope, dst: `${to === '/' ? '' : to}${rest}` as Path, notes };
  });
});
