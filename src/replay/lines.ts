/** Reads a recording line by line: what is whole counts, and where it stops being whole is said. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { FORMAT, type Head, head, type Line, line } from '../recorder/lines.ts';

/** What a reader has to say of a text line. */
export type Read =
  | { readonly t: 'head'; readonly head: Head }
  | { readonly t: 'line'; readonly line: Line }
  /** It is no recording, or of a format that is not known here. */
  | { readonly t: 'bad'; readonly error: string };

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const MOST_SHOWN = 60;

const excerpt = (text: string): string =>
  JSON.stringify(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);

const readHead = (text: string): Read => {
  const found = head.decode(parse(text));
  if (isLeft(found))
    return {
      t: 'bad',
      error: `expected the first line of a recording, as POST /recorder/dump gives it, got ${excerpt(text)}`,
    };
  const { format } = found.right;
  if (format !== FORMAT) {
    const error = `expected a recording of format ${FORMAT}, got ${format}; replay it with the linkerd-tcp that made it`;
    return { t: 'bad', error };
  }
  return { t: 'head', head: found.right };
};

/** Reads one line; the first one is the head. */
export const readLine = (text: string, isFirst: boolean): Read => {
  if (isFirst) return readHead(text);
  const found = line.decode(parse(text));
  return isLeft(found)
    ? { t: 'bad', error: `expected a line of a recording, got ${excerpt(text)}` }
    : { t: 'line', line: found.right };
};
