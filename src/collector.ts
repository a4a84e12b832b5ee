/** What a process that serves asks of the platform’s collector. */
import { setFlagsFromString } from 'node:v8';

/**
 * Has new objects begin among the young, always. By itself V8 puts what outlived a few collections, as the
 * connections of a busy moment do, among the old from then on, wherever the same line of code makes it; there it
 * stays until a full collection, long after its connection, and keeps all that it leads to.
 * For a process that is ours: to be called before it serves, and not in a program that uses us as a library.
 */
export const keepYoung = (): void => setFlagsFromString('--no-allocation-site-pretenuring');

/**
 * Has what a busy time has left be given back by one full collection. By itself V8 makes three of them in two seconds as
 * soon as little is allocated, and streams that only pass bytes on allocate little: each holds them up for 5 to 9 ms.
 * For a process that is ours, as `keepYoung`.
 */
export const giveBackOnce = (): void => setFlagsFromString('--memory-reducer-single-gc');
