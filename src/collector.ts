/** What a process that serves asks of the platform’s collector. */
import { setFlagsFromString } from 'node:v8';

/**
 * Has new objects begin among the young, always. By itself V8 puts what outlived a few collections, as the
 * connections of a busy moment do, among the old from then on, wherever the same line of code makes it; there it
 * stays until a full collection, long after its connection, and keeps all that it leads to.
 * For a process that is ours: to be called before it serves, and not in a program that uses us as a library.
 */
export const keepYoung = (): void => setFlagsFromString('--no-allocation-site-pretenuring');
