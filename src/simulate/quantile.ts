/** Quantiles of what was seen. Pure. */

/** The value that so large a share (0..1) does not exceed; `undefined`: there is none. `sorted`: the smallest first. */
export const quantileOf = (sorted: readonly number[], share: number): number | undefined =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
