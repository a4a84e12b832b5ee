/** A seeded source of chance that lives in the state: the same seed gives the same decisions. Pure. */

/** The generator’s state, four 32-bit words. */
export interface Dice {
  a: number;
  b: number;
  c: number;
  counter: number;
  /** Where the even sequence stands, a 32-bit word. */
  phase: number;
}

/** The golden ratio’s fraction as a 32-bit word: the step that spreads a sequence most evenly. */
const GOLDEN = 0x9e3779b9;

/** Makes dice from a seed in [0, 1); the first rounds are thrown away so that near seeds part ways. */
export const makeDice = (seed: number): Dice => {
  const word = Math.floor(seed * 2 ** 32) >>> 0;
  const dice: Dice = { a: word, b: word ^ GOLDEN, c: 0x243f6a88, counter: 1, phase: word };
  for (let i = 0; i < 12; i++) roll(dice);
  return dice;
};

/** The next number, uniform in [0, 1). Source: the sfc32 generator of PractRand. */
export const roll = (dice: Dice): number => {
  const sum = (((dice.a + dice.b) | 0) + dice.counter) | 0;
  dice.counter = (dice.counter + 1) | 0;
  dice.a = dice.b ^ (dice.b >>> 9);
  dice.b = (dice.c + (dice.c << 3)) | 0;
  dice.c = (((dice.c << 21) | (dice.c >>> 11)) + sum) | 0;
  return (sum >>> 0) / 2 ** 32;
};

/** The next number of an even sequence in [0, 1): each stretch of it covers the range better than chance does. */
export const even = (dice: Dice): number => {
  dice.phase = (dice.phase + GOLDEN) | 0;
  return (dice.phase >>> 0) / 2 ** 32;
};

/** The fraction of the square root of 2: a step that shares no rhythm with the golden ratio’s. */
const SILVER = Math.SQRT2 - 1;

/** The next number of another even sequence in [0, 1), which whoever asks keeps the place of. */
export const stride = (phase: number): number => (phase + SILVER) % 1;
