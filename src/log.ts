/** The log as the rest of the program sees it; where lines go is the business of who makes one. */

/** From the one nobody may miss to the one for developers. `error` = someone must act, `warn` = degraded. */
export const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
/** How much a line matters. */
export type Level = (typeof LEVELS)[number];

/** What a line carries beside its message: ids and numbers, never secrets and never payload. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Writes one line. Never throws and never blocks. Fields that are a function are asked for when the line is made,
 * a moment later, if it is made at all: what they are read from must stay as it is.
 */
export type Log = (level: Level, message: string, fields?: Fields | (() => Fields)) => void;
