/**
 * Preloaded (`--import`) into the Node processes of the bench: for how long their event loops were blocked. It begins to look
 * at the first SIGUSR2; at the second it stops, and writes the longest time between two looks as a line on standard error;
 * and so on. Time for which the process was ready and another had the CPU does not count: that is the machine’s doing.
 * Whoever looks costs: a timer this near is set anew whenever the loop sleeps, which makes a small request a fifth dearer.
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
let told = 0;
let seen = 0;
let timer: NodeJS.Timeout | undefined;

const look = (): void => {
  const now = performance.now() - waitedMs();
  longest = Math.max(longest, now - seen);
  seen = now;
};

const begin = (): void => {
  longest = 0;
  seen = performance.now() - waitedMs();
  timer = setInterval(look, LOOK_MS).unref();
};

/** Gives what it has seen. */
const stop = (): number => {
  clearInterval(timer);
  timer = undefined;
  look();
  return longest;
};

/** A pipe that is full of log lines is tried again. */
const tell = (line: string): void => {
  try {
    writeSync(STDERR, line);
  } catch {
    setTimeout(tell, LOOK_MS, line);
  }
};

process.on('SIGUSR2', () => {
  let ms = 0;
  if (timer === undefined) begin();
  else ms = stop();
  tell(`bench: loop ${ms.toFixed(1)} ms #${++told}\n`);
});
