/**
 * Preloaded (`--import`) into the Node processes of the bench: for how long their event loops were blocked. At SIGUSR2
 * it writes the longest time between two looks as a line on standard error, and starts anew. Time for which the
 * process was ready and another had the CPU does not count: that is the machine’s doing.
 */
import { openSync, readSync, writeSync } from 'node:fs';

/** Between two looks: what a loop that is never blocked shows. */
const LOOK_MS = 5;
const STDERR = 2;
const NUMBERS = Buffer.alloc(128);

const openSchedstat = (): number | undefined => {
  try {
    return openSync('/proc/self/schedstat', 'r');
  } catch {
    // Not every kernel keeps it; then all time counts.
    return undefined;
  }
};

const schedstat = openSchedstat();

/** For how long this thread has waited for a CPU so far: the second number. */
const waitedMs = (): number => {
  if (schedstat === undefined) return 0;
  const length = readSync(schedstat, NUMBERS, 0, NUMBERS.length, 0);
  return Number(NUMBERS.toString('latin1', 0, length).split(' ')[1]) / 1e6;
};

let longest = 0;
let asked = 0;
let seen = performance.now() - waitedMs();

const look = (): void => {
  const now = performance.now() - waitedMs();
  longest = Math.max(longest, now - seen);
  seen = now;
};

setInterval(look, LOOK_MS).unref();
process.on('SIGUSR2', () => {
  look();
  const line = `bench: loop ${longest.toFixed(1)} ms #${++asked}\n`;
  longest = 0;
  try {
    writeSync(STDERR, line);
  } catch {
    // The pipe is full: there is no number then.
  }
});
