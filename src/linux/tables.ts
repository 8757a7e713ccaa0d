import type { EnumTable } from "../io/enums.js";

/** Consecutively numbered names: `numbered("CAP_", 0, ["CHOWN DAC_OVERRIDE"])`. */
export function numbered(prefix: string, first: number, lines: readonly string[]): Record<string, number> {
  const names = lines.join(" ").split(" ");
  return Object.fromEntries(names.map((name, at) => [prefix + name, first + at]));
}

/** The number of a name. Errors: Error for a name that is not in the table. */
export function numberOf(table: EnumTable, name: string): number {
  const value = table.values.get(name);
  if (value === undefined) throw new Error(`${table.name} has no ${name}`);
  return value;
}
