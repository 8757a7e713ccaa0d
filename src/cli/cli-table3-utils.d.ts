declare module "cli-table3/src/utils.js" {
  /** Columns that `text` takes on a terminal, without colour escape sequences. */
  export function strlen(text: string): number;
}
