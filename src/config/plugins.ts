/** The plugins that a config names, loaded, as what they add to the format of the file. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { BUILT_IN } from '../plugins/built-in.ts';
import { findModule, loadModule } from '../plugins/load.ts';
import { type KindMaps, SECTIONS, type Section } from '../plugins/plugin.ts';
import type { Plugins } from './build.ts';
import type { FileKinds, KindOptions } from './kinds.ts';
import { interpreter } from './schema.ts';
import { p2c } from './schema-client.ts';
import { namer } from './schema-namers.ts';

const optionsOf = (kinds: KindMaps, module?: string) => (section: Section) =>
  [...kinds[section]].map(([name, { options }]): readonly [string, KindOptions] => [
    name,
    module === undefined ? { codec: options } : { codec: options, module },
  ]);

/** Kinds that are part of the format itself. */
const FORMAT: Readonly<Record<Section, readonly string[]>> = {
  operators: [],
  namers: Object.keys(namer.members),
  interpreters: Object.keys(interpreter.members),
  identifiers: [],
  loadBalancers: Object.keys(p2c.members),
};

/** Collects kinds by section; the same name from two modules is an error. */
class Collection {
  readonly #all: Readonly<Record<Section, Map<string, KindOptions>>> = {
    operators: new Map(optionsOf(BUILT_IN)('operators')),
    namers: new Map(),
    interpreters: new Map(),
    identifiers: new Map(),
    loadBalancers: new Map(),
  };

  get kinds(): FileKinds {
    return this.#all;
  }

  /** Adds what a module has; gives what is wrong with that: what comes along must not seem to be replaced. */
  add(module: string, kinds: KindMaps): string | undefined {
    for (const section of SECTIONS)
      for (const [name, options] of optionsOf(kinds, module)(section)) {
        const known = this.#all[section].get(name);
        if (FORMAT[section].includes(name) || (known !== undefined && known.module === undefined))
          return `the plugin ${module}: ${section}: ${name} comes along; expected another name`;
        if (known !== undefined)
          return `the plugin ${module}: ${section}: ${name} is also in ${known.module}`;
        this.#all[section].set(name, options);
      }
    return undefined;
  }
}

/** What the format of a file has without any plugin. */
export const NO_PLUGINS: Plugins = { kinds: new Collection().kinds, errors: [] };

/** Loads the plugins of a file that is in a folder. */
export const loadPlugins = (modules: readonly string[], folder: string): Plugins => {
  const collection = new Collection();
  const errors: { index: number; message: string }[] = [];
  for (const [index, spec] of modules.entries()) {
    const path = findModule(spec, folder);
    const kinds = isLeft(path) ? path : loadModule(path.right);
    const message =
      isLeft(path) || isLeft(kinds)
        ? isLeft(kinds)
          ? kinds.left
          : undefined
        : collection.add(path.right, kinds.right);
    if (message !== undefined) errors.push({ index, message });
  }
  return { kinds: collection.kinds, errors };
};
