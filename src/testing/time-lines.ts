/** Compares what happened in a marble test with what was expected, and shows both one above the other. Pure. */
import { AssertionError } from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';

type Fact = readonly [frame: number, what: string];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const brief = (value: unknown): string =>
  typeof value === 'string' ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY });

const fact = (frame: unknown, what: string): readonly Fact[] =>
  typeof frame === 'number' && Number.isFinite(frame) ? [[frame, what]] : [];

const notified = (notification: Readonly<Record<string, unknown>>): string => {
  const { kind, value, error } = notification;
  if (kind === 'N') return brief(value);
  return kind === 'E' ? `# ${brief(error)}` : '|';
};

/** A message of the TestScheduler is a notification at a frame, or a subscription with both its ends. */
const factsOf = (message: unknown): readonly Fact[] => {
  if (!isRecord(message)) return [];
  const { frame, notification, subscribedFrame, unsubscribedFrame } = message;
  return isRecord(notification)
    ? fact(frame, notified(notification))
    : [...fact(subscribedFrame, '^'), ...fact(unsubscribedFrame, '!')];
};

const factsOfAll = (messages: unknown): readonly Fact[] =>
  Array.isArray(messages) ? messages.flatMap(factsOf) : [];

/** A column for each frame at which either line has something. */
const sideBySide = (actual: unknown, expected: unknown): string => {
  const lines = [factsOfAll(expected), factsOfAll(actual)];
  const frames = [...new Set(lines.flat().map(([frame]) => frame))].sort((a, b) => a - b);
  const at = (line: readonly Fact[], wanted: number): string =>
    line
      .filter(([frame]) => frame === wanted)
      .map(([, what]) => what)
      .join(' ');
  const rows = [frames.map(String), ...lines.map((line) => frames.map((frame) => at(line, frame)))];
  const widths = frames.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const titles = ['ms      ', 'expected', 'actual  '];
  return rows
    .map((row, i) => [titles[i], ...row.map((cell, j) => cell.padEnd(widths[j] ?? 0))])
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n');
};

/**
 * Compares two lists of messages of the TestScheduler.
 * Errors: throws an AssertionError whose message holds both time lines.
 */
export const compareTimeLines = (actual: unknown, expected: unknown): void => {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new AssertionError({ message: `the time lines differ\n${sideBySide(actual, expected)}` });
};
