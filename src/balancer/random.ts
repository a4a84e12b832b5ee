/** A seeded source of chance that lives in the state: the same seed gives the same decisions. Pure. */

/** The generator’s state, four 32-bit words. */
export interface Dice {
  a: number;
  b: number;
  c: number;
  counter: number;
}

/** Makes dice from a seed in [0, 1); the first rounds are thrown away so that near seeds part ways. */
export const makeDice = (seed: number): Dice => {
  const word = Math.floor(seed * 2 ** 32) >>> 0;
  const dice: Dice = { a: word, b: word ^ 0x9e3779b9, c: 0x243f6a88, counter: 1 };
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
