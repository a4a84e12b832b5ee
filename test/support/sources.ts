/** The project's own sources as text, for tests that read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

/** An import or re-export of a file: what it names, and whether only types cross. */
export interface Import {
  /** A package name, or for a relative import the path from the root of the repository. */
  readonly target: string;
  readonly relative: boolean;
  readonly typeOnly: boolean;
}

export interface Source {
  /** From the root of the repository: `src/path.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

const IMPORT = /^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm;

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');

const importsOf = (path: string, code: string): readonly Import[] =>
  [...code.matchAll(IMPORT)].map(([, type, from, bare]) => {
    const target = from ?? bare ?? '';
    const relative = target.startsWith('.');
    return {
      target: relative ? normalize(join(path, '..', target)) : target,
      relative,
      typeOnly: type !== undefined,
    };
  });

const read = (path: string): Source => {
  const text = readFileSync(path, 'utf8');
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(path, code) };
};

/** Every TypeScript file below a folder of the repository, sorted by path. */
export const readSources = (folder: string): readonly Source[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(join(folder, name)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));

/** Lines of a text that match, as `path:line: text`. */
export const findLines = (path: string, text: string, wanted: RegExp): readonly string[] =>
  text
    .split('\n')
    .map((line, i) => ({ line, place: `${path}:${i + 1}: ${line.trim()}` }))
    .filter(({ line }) => wanted.test(line))
    .map(({ place }) => place);
