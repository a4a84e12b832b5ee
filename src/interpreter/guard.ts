/** An interpreter of others’ code behind a fence. */
import { defer } from 'rxjs';
import type { Env } from '../env.ts';
import { guarded } from './guarded.ts';
import type { Interpreter, Resolution } from './interpreter.ts';
import { isAddr } from './namers/check.ts';

/** What comes sooner after another resolution waits so long. */
const WINDOW_MS = 100;

/** `union` is taken as it is: a branch without an endpoint that is known draws nobody. */
const isResolution = (value: unknown): value is Resolution =>
  isAddr(value) ||
  (typeof value === 'object' && value !== null && 't' in value && value.t === 'confirmed');

/** Makes it when it is needed: one that throws, floods or says nonsense fails its own names, and is asked again. */
export const guardInterpreter = (make: () => Interpreter, env: Env): Interpreter => {
  let made: Interpreter | undefined;
  const resolve: Interpreter['resolve'] = (path) => {
    made ??= make();
    return made.resolve(path);
  };
  const failed = (cause: string): Resolution => ({ t: 'failed', cause });
  return {
    resolve: (path) =>
      guarded<Resolution>(
        defer(() => resolve(path)),
        { failed, isValue: isResolution, windowMs: WINDOW_MS },
        env,
      ),
  };
};
