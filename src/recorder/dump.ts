/** A recording on its way out: lines in pieces, a few at a time. */
import { FORMAT, type Head, type Line } from './lines.ts';

/** A piece has about so many characters: no more is in memory at a time, but for one line. */
const PIECE = 64 * 1024;

const told = (line: Line | Head): string => `${JSON.stringify(line)}\n`;

/** The lines of one process, a piece at a time; `now` is its clock. */
export function* piecesOf(core: number, now: number, lines: Iterable<string>): Generator<string> {
  let piece = told({ t: 'core', core, now });
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

const linesIn = (text: string): number => text.split('\n').length - 1;

/** What stands at the head of a recording beside its format. */
export type About = Omit<Head, 't' | 'format'>;

/** A whole recording: its head, what processes tell, and its end. `turn` lets the event loop turn after each piece. */
export async function* recordingOf(
  about: About,
  pieces: Iterable<string> | AsyncIterable<string>,
  turn: () => Promise<void>,
): AsyncGenerator<string> {
  yield told({ t: 'recording', format: FORMAT, ...about });
  let lines = 1;
  for await (const piece of pieces) {
    lines += linesIn(piece);
    yield piece;
    await turn();
  }
  yield told({ t: 'end', lines });
}
