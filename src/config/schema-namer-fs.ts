/** The part of the file format that says which files hold addresses. Pure. */
import type { Path } from '../path.ts';
import { object, optional, required } from './codec.ts';
import * as v from './values.ts';

/** The namer of files. */
export const fs = object('an object with the keys of io.l5d.fs', {
  prefix: optional(v.namerPrefix, '/io.l5d.fs' as Path, v.PREFIX_DOC),
  rootDir: required(v.text, 'Folder with a file of addresses for each name.'),
});
