/** `io.l5d.canary`: sends a part of the clients of a name to another one, each client always to the same. */
import { map } from 'rxjs';
import { object, optional, required } from '../config/codec.ts';
import * as v from '../config/values.ts';
import type { Path } from '../path.ts';
import { operatorKind } from './kind.ts';
import { ipOf } from './scope.ts';

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

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** A text as a number in [0, 1). Source: FNV-1a, and the finalizer of MurmurHash3, without which alike texts are near each other. */
const hash = (text: string): number => {
  let h = OFFSET;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), PRIME);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
};

/** The canary’s clients are noted as such. */
export const canary = operatorKind(options, ({ dst, to, percent, salt }) => {
  const below = dst === '/' ? dst : `${dst}/`;
  return map((envelope) => {
    const { dst: name } = envelope;
    if (name !== dst && !name.startsWith(below)) return envelope;
    if (hash(`${salt} ${ipOf(envelope)}`) * 100 >= percent) return envelope;
    const rest = name.slice(dst === '/' ? 0 : dst.length);
    const notes = { ...envelope.notes, canary: dst };
    return { ...envelope, dst: `${to === '/' ? '' : to}${rest}` as Path, notes };
  });
});
