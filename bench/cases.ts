import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Command lines of the competitors; undefined for one that is not on this machine. */
export interface Peers {
  readonly crimg: string[];
  readonly crit: string[] | undefined;
  readonly goCrit: string[] | undefined;
  readonly node: string[];
}

interface Place {
  readonly peers: Peers;
  /** Directory of the image sets. */
  readonly sets: string;
  /** Directory for what the commands write. */
  readonly scratch: string;
  /** The image of a set whose name starts so. */
  readonly find: (set: string, prefix: string) => string;
}

type Goal =
  | { readonly of: string; readonly ratio: number }
  | { readonly mebibytes: number }
  | { readonly seconds: number };

export interface Case {
  readonly name: string;
  /** The steps of each competitor; their times are added up. */
  readonly commands: (place: Place) => Readonly<Record<string, string[][] | undefined>>;
  readonly goals?: readonly Goal[];
  /** Run before each sample. */
  readonly prepare?: (scratch: string) => void;
}

const with_ = (peer: string[] | undefined, ...args: string[]): string[][] | undefined =>
  peer === undefined ? undefined : [[...peer, ...args]];

const clearOutput = (scratch: string): void => rmSync(join(scratch, "out"), { recursive: true, force: true });

export const CASES: readonly Case[] = [
  {
    name: "start: --version",
    commands: ({ peers }) => ({ crimg: with_(peers.crimg, "--version"), node: with_(peers.node, "-e", "0") }),
    goals: [{ of: "node", ratio: 1.5 }],
  },
  {
    name: "start: info of a small image",
    commands: ({ peers }) => ({
      crimg: with_(peers.crimg, "info", "fixtures/criu/logger/files.img"),
      node: with_(peers.node, "-e", "0"),
    }),
    goals: [{ of: "node", ratio: 2 }],
  },
  {
    name: "start: show of a small set",
    commands: ({ peers }) => ({
      crimg: with_(peers.crimg, "show", "fixtures/criu/logger"),
      node: with_(peers.node, "-e", "0"),
    }),
    goals: [{ of: "node", ratio: 2 }],
  },
  {
    name: "decode pagemap of frag",
    commands: ({ peers, scratch, find }) => decodes(peers, find("frag", "pagemap-"), scratch),
    goals: [{ of: "go-crit", ratio: 0.5 }, { mebibytes: 100 }],
  },
  {
    name: "encode pagemap of frag",
    commands: ({ peers, scratch, find }) => encodes(peers, find("frag", "pagemap-"), scratch),
    goals: [{ of: "crit", ratio: 0.5 }],
  },
  {
    name: "decode files of fds",
    commands: ({ peers, scratch, find }) => decodes(peers, find("fds", "files.img"), scratch),
  },
  {
    name: "fds view of fds",
    commands: ({ peers, sets }) => views(peers, join(sets, "fds"), "fds"),
    goals: [{ of: "go-crit", ratio: 0.3 }],
  },
  {
    name: "rss view of frag",
    commands: ({ peers, sets }) => views(peers, join(sets, "frag"), "rss"),
    goals: [{ of: "go-crit", ratio: 0.3 }],
  },
  {
    name: "tree view of tree",
    commands: ({ peers, sets }) => ({
      crimg: with_(peers.crimg, "show", join(sets, "tree"), "tree"),
      crit: with_(peers.crit, "x", join(sets, "tree"), "ps"),
      "go-crit": with_(peers.goCrit, "x", join(sets, "tree"), "ps"),
    }),
    goals: [{ of: "crit", ratio: 0.35 }],
  },
  {
    name: "remap a path in 20,000 files",
    prepare: clearOutput,
    commands: ({ peers, sets, scratch, find }) => ({
      crimg: with_(
        peers.crimg,
        "edit",
        join(sets, "fds"),
        "--remap-path",
        "/=/moved",
        "-o",
        join(scratch, "out"),
      ),
      "go-crit": recodes(peers.goCrit, find("fds", "files.img"), scratch),
    }),
    goals: [{ of: "go-crit", ratio: 0.5 }],
  },
  {
    name: "remap a path in a set of 1 GiB",
    prepare: clearOutput,
    commands: ({ peers, sets, scratch }) => ({
      crimg: with_(
        peers.crimg,
        "edit",
        join(sets, "mem1g"),
        "--remap-path",
        "/=/moved",
        "-o",
        join(scratch, "out"),
      ),
    }),
  },
  {
    name: "diff of two sets of 20,000 files",
    commands: ({ peers, sets }) => ({
      crimg: with_(peers.crimg, "diff", join(sets, "fds"), join(sets, "fds")),
    }),
    goals: [{ seconds: 2 }],
  },
  {
    name: "info of a stream of 1 GiB",
    commands: ({ peers, sets }) => ({ crimg: with_(peers.crimg, "info", join(sets, "pages1g.ckpt")) }),
    goals: [{ seconds: 0.5 }, { mebibytes: 150 }],
  },
  ...["info", "find"].map((command) => ({
    name: `${command} over a stream of two million records`,
    commands: ({ peers, sets }: Place) => ({
      crimg: with_(
        peers.crimg,
        command,
        join(sets, "records2m.ckpt"),
        ...(command === "find" ? ["no such text"] : []),
      ),
    }),
    goals: command === "info" ? [{ seconds: 2 }, { mebibytes: 150 }] : [{ mebibytes: 150 }],
  })),
  {
    name: "summary of a stream with 500,000 open files",
    commands: ({ peers, sets }) => ({ crimg: with_(peers.crimg, "show", join(sets, "records2m.ckpt")) }),
  },
  {
    name: "validate 20,000 files",
    commands: ({ peers, sets }) => ({ crimg: with_(peers.crimg, "validate", join(sets, "fds")) }),
  },
];

function decodes(peers: Peers, image: string, scratch: string): Record<string, string[][] | undefined> {
  const json = join(scratch, "decoded.json");
  return {
    crimg: with_(peers.crimg, "decode", "-i", image, "-o", json),
    crit: with_(peers.crit, "decode", "-i", image, "-o", json),
    "go-crit": with_(peers.goCrit, "decode", "-i", image, "-o", json),
  };
}

/** Each encodes what it decoded itself; the decoding does not count. */
function encodes(peers: Peers, image: string, scratch: string): Record<string, string[][] | undefined> {
  const encode = (name: string, peer: string[] | undefined): string[][] | undefined =>
    with_(peer, "encode", "-i", decodedBy(name, peer, image, scratch), "-o", join(scratch, `${name}.img`));
  return {
    crimg: encode("crimg", peers.crimg),
    crit: encode("crit", peers.crit),
    "go-crit": encode("go-crit", peers.goCrit),
  };
}

function decodedBy(name: string, peer: string[] | undefined, image: string, scratch: string): string {
  const json = join(scratch, `${name}.json`);
  const [program, ...first] = peer ?? [];
  if (program !== undefined && !existsSync(json))
    execFileSync(program, [...first, "decode", "-i", image, "-o", json]);
  return json;
}

function recodes(peer: string[] | undefined, image: string, scratch: string): string[][] | undefined {
  const json = join(scratch, "recoded.json");
  if (peer === undefined) return undefined;
  return [
    [...peer, "decode", "-i", image, "-o", json],
    [...peer, "encode", "-i", json, "-o", join(scratch, "recoded.img")],
  ];
}

function views(peers: Peers, set: string, view: string): Record<string, string[][] | undefined> {
  return {
    crimg: with_(peers.crimg, "show", set, view),
    crit: with_(peers.crit, "x", set, view),
    "go-crit": with_(peers.goCrit, "x", set, view),
  };
}
