import fs from "node:fs";
import os from "node:os";

/** What a host tells of itself, read when it is asked: of this one, or as it was written down on another. */
export interface HostFiles {
  /** As Node names it: `linux`. */
  readonly platform: string;
  /** As Node names it: `x64`. */
  readonly arch: string;
  /** `uname -m`. */
  readonly machine: string;
  /** Addresses of the interfaces, in Node's spelling. */
  addresses(): readonly string[];
  /** A file of /proc, /sys or /etc in latin1; undefined where there is none. */
  text(path: string): string | undefined;
  /** Names in such a directory; none where it is missing. */
  names(directory: string): readonly string[];
  /** Whether there is a file; undefined where it was not written down. */
  exists(path: string): boolean | undefined;
}

/** This host, with the rights of the caller. */
export const LIVE_HOST: HostFiles = {
  platform: os.platform(),
  arch: process.arch,
  machine: os.machine(),
  addresses: () =>
    Object.values(os.networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)),
  text: (path) => {
    // Most of 60,000 ids of tasks are free, and an exception takes longer than a look.
    if (!fs.existsSync(path)) return undefined;
    try {
      return fs.readFileSync(path, "latin1");
    } catch {
      return undefined;
    }
  },
  names: (directory) => {
    try {
      return fs.readdirSync(directory);
    } catch {
      return [];
    }
  },
  exists: (path) => fs.existsSync(path),
};
