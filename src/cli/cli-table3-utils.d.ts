declare module "cli-table3/src/utils.js" {
  /** Columns that `text` takes on a terminal, escape sequences of colour not counted. */
  export function strlen(text: string): number;
}
