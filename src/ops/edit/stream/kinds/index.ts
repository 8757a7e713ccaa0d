import type { Parsed } from "../../kind.js";
import type { StreamDraft } from "../draft.js";
import { planCgroup } from "./cgroup.js";
import { planComm } from "./comm.js";
import { planDeleted } from "./deleted.js";
import { planDropFd } from "./drop-fd.js";
import { planFd } from "./fd.js";
import { planRemapPath } from "./remap-path.js";
import { planSet } from "./set.js";

/** What edits of one kind that follow one another do to a stream. */
type StreamPlan = (edits: readonly Parsed<unknown>[], draft: StreamDraft) => void;

/** Kinds of edits that are planned in another way for a linux-cr stream, by their names. */
export const STREAM_PLANS = {
  "remap-path": planRemapPath,
  deleted: planDeleted,
  cgroup: planCgroup,
  comm: planComm,
  fd: planFd,
  "drop-fd": planDropFd,
  set: planSet,
} as Readonly<Record<string, StreamPlan>>;
