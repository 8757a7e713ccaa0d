import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { NSEC_PER_SEC } from "../../../../linux/time.js";
import { SYS } from "../../sys/abi-x64.js";
import { call } from "../../sys/syscall.js";
import { borrow, type OpenFileState } from "../descriptions.js";
import type { CheckpointContext } from "./context.js";

/** TIMERFD by fdinfo; what is left is asked of the timer itself. */
export function writeTimerFd({ writer }: CheckpointContext, file: OpenFileState): void {
  const { lines } = file.info;
  const number = (name: string): number => Number(lines.get(name)?.[0] ?? 0);
  const times = Buffer.alloc(32);
  borrow(file, (fd) => call("tell the time of a timer", SYS.timerfd_gettime, fd, times));
  const at = (offset: number): bigint =>
    times.readBigInt64LE(offset) * NSEC_PER_SEC + times.readBigInt64LE(offset + 8);
  writer.record(RECORDS.TIMERFD, {
    clock_id: number("clockid"),
    settime_flags: Number.parseInt(lines.get("settime flags")?.[0] ?? "0", 8),
    ticks: BigInt(lines.get("ticks")?.[0] ?? 0),
    interval_ns: at(0),
    value_ns: at(16),
  });
}

/** SIGNALFD by the set that fdinfo shows. */
export function writeSignalFd({ writer }: CheckpointContext, { info }: OpenFileState): void {
  const mask = Buffer.alloc(8);
  mask.writeBigUInt64LE(BigInt(`0x${info.lines.get("sigmask")?.[0] ?? "0"}`));
  writer.record(RECORDS.SIGNALFD, { sigmask: mask });
}
