/** The file of a recording, read to where it stops being whole. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { readReason } from '../config/files.ts';
import type { Head, Line } from '../recorder/lines.ts';
import { readLine } from './lines.ts';

/** What was read of a file. */
export interface Recording {
  readonly head: Head;
  /** What is to be said of what is missing. */
  readonly notes: readonly string[];
}

const follow = async (
  file: string,
  take: (line: Line) => void,
): Promise<Either<string, Recording>> => {
  const name = file === '-' ? '<stdin>' : file;
  const input = file === '-' ? process.stdin : createReadStream(file);
  const notes: string[] = [];
  let head: Head | undefined;
  let lines = 0;
  let told: number | undefined;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const found = readLine(text, head === undefined);
    if (found.t === 'bad') {
      if (head === undefined) return left(`${name}:1: ${found.error}`);
      notes.push(`${name}:${lines + 1}: ${found.error}; what stands before it was replayed`);
      break;
    }
    lines += 1;
    if (found.t === 'head') head = found.head;
    else if (found.line.t === 'end') {
      told = found.line.lines;
      break;
    } else if (found.line.t === 'cut')
      notes.push(`worker ${found.line.core} ended while it was telling: the rest of it is missing`);
    else take(found.line);
  }
  if (head === undefined) return left(`${name}: expected a recording, got an empty file`);
  if (told === undefined && notes.length === 0)
    notes.push(`${name}: it was cut after line ${lines}; what is whole was replayed`);
  else if (told !== undefined && told !== lines - 1)
    notes.push(`${name}: expected ${told} lines before its end, got ${lines - 1}`);
  return right({ head, notes });
};

/** Reads a recording, `-` from standard input; `take` gets its lines in order. `Left`: it is none. */
export const readRecording = async (
  file: string,
  take: (line: Line) => void,
): Promise<Either<string, Recording>> => {
  try {
    return await follow(file, take);
  } catch (error) {
    // What the system says; all else is a fault of ours.
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    return left(`cannot read ${file}: ${readReason(error)}`);
  }
};
