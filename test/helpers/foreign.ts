import { readFileSync } from "node:fs";

interface ForeignProgram {
  /** Word in `needs`. */
  readonly word: string;
  /** The file that shows that it is there. */
  readonly file: string;
  /** Debian's package. */
  readonly package: string;
}

/** What tests run that a fresh Debian may lack: test/support/packages.txt. */
export const FOREIGN: readonly ForeignProgram[] = readFileSync(
  new URL("../support/packages.txt", import.meta.url),
  "utf8",
)
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [word = "", file = "", name = ""] = line.split(/\s+/);
    return { word, file, package: name };
  });
