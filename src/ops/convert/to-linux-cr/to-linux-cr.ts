import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import type { ByteSource } from "../../../io/source.js";
import { TAIL } from "../../../model/linux-cr/head.js";
import type { Losses } from "../../../model/loss.js";
import { tellLostImages } from "../coverage.js";
import { Context } from "./context.js";
import { writeHead } from "./head.js";
import { tellLeftovers } from "./leftovers.js";
import { threadsOf } from "./source-task.js";
import { writeTask } from "./task.js";

/**
 * The set as a linux-cr stream. Page bytes are read when the stream is. `leaseSeconds`: what leases that are being broken
 * have left, which a set does not say. Errors: FormatError, UnsupportedError.
 */
export function toLinuxCr(set: CriuImageSet, losses: Losses, leaseSeconds?: number): ByteSource {
  const context = new Context(set, losses, leaseSeconds);
  const threads = threadsOf(set);
  writeHead(context, threads);
  for (const thread of threads) writeTask(context, thread);
  tellLeftovers(context);
  tellLostImages(set, losses);
  context.writer.records([TAIL]);
  return context.writer.source(set.name);
}
