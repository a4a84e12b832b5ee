/** Rules of plugins in tests that have none. */
import type { MakeIdentifier } from '../../src/server/identify.ts';

/** Fails whoever asks for one. */
export const noPlugin: MakeIdentifier = ({ by }) => {
  throw new Error(`the test has no plugin ${by}`);
};
