/** Seed of all that tests draw at random: the same in each run unless CRIMG_SEED names another; CI draws one. */
export const SEED = wholeNumber("CRIMG_SEED", 1);

/** How many times as many cases of each property are tried: CRIMG_PROPERTY_RUNS. */
export const TIMES = wholeNumber("CRIMG_PROPERTY_RUNS", 1);

/** Whether the long run of a night is asked for: CRIMG_NIGHTLY=1. */
export const NIGHTLY = process.env.CRIMG_NIGHTLY === "1";

function wholeNumber(name: string, otherwise: number): number {
  const text = process.env[name] ?? String(otherwise);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0x7fff_ffff)
    throw new Error(`invalid ${name} "${text}" (expected a whole number below 2^31)`);
  return value;
}
