import { RECORDS } from "../../../formats/linux-cr/records.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import { NSEC_PER_SEC, TFD_IOC_SET_TICKS, TFD_TIMER_ABSTIME } from "../../../linux/time.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { encodeSpecial } from "../../../model/linux-cr/special-files.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import { clockTime, stillLeft, timeBytes } from "../sys/time.js";
import type { OpenFileRecord } from "./image.js";
import { borrow, type OpenFileState } from "./open-files.js";

/** TIMERFD by fdinfo; what is left is asked of the timer itself. */
export function writeTimerFd({ writer }: CheckpointContext, file: OpenFileState): void {
  const { lines } = file.info;
  const number = (name: string): number => Number(lines.get(name)?.[0] ?? 0);
  const times = Buffer.alloc(32);
  borrow(file, (fd) => call("read the time of a timerfd", SYS.timerfd_gettime, fd, times));
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
  const mask = BigInt(`0x${info.lines.get("sigmask")?.[0] ?? "0"}`);
  writer.records(encodeSpecial({ kind: "signalfd", mask })?.records ?? []);
}

const SIGSET_BYTES = 8;

export function makeEventFd({ value }: OpenFileRecord): number {
  const fd = call("make an eventfd", SYS.eventfd2, 0, O_CLOEXEC | (value.flags ?? 0));
  if (value.count !== undefined && value.count > 0n) {
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(value.count);
    call("set the count of an eventfd", SYS.write, fd, count, count.length);
  }
  return fd;
}

export function makeEpoll(): number {
  return call("make an epoll instance", SYS.epoll_create1, O_CLOEXEC);
}

/** A timerfd that does not run; `armTimerFd` starts it. */
export function makeTimerFd(reader: StreamReader, { part }: OpenFileRecord): number {
  const { value: timer } = reader.get(part, RECORDS.TIMERFD);
  return call("make a timerfd", SYS.timerfd_create, timer.clock_id, O_CLOEXEC);
}

/** Arms a timerfd with what it had left less `used`, in ns, and gives it what it had counted: arming forgets that, fs/timerfd.c. */
export function armTimerFd(reader: StreamReader, { part }: OpenFileRecord, fd: number, used: bigint): void {
  const { value: timer } = reader.get(part, RECORDS.TIMERFD);
  // One that repeats and was not read since it expired goes on when it is read: it must expire once more.
  const hasExpired = timer.value_ns === 0n && timer.interval_ns > 0n && timer.ticks > 0n;
  const left = hasExpired ? 1n : stillLeft(timer.value_ns, used);
  if (left > 0n) {
    // One that is to be told when its clock is set must have been armed for a time of that clock.
    const isAbsolute = (timer.settime_flags & TFD_TIMER_ABSTIME) !== 0;
    const times = timeBytes(timer.interval_ns, isAbsolute ? clockTime(timer.clock_id) + left : left, 1n);
    call("arm a timerfd", SYS.timerfd_settime, fd, timer.settime_flags, times, 0);
  }
  if (timer.ticks === 0n) return;
  const ticks = Buffer.alloc(8);
  ticks.writeBigUInt64LE(timer.ticks);
  call("set the count of a timerfd", SYS.ioctl, fd, TFD_IOC_SET_TICKS, ticks);
}

export function makeSignalFd(reader: StreamReader, { part }: OpenFileRecord): number {
  const { value } = reader.get(part, RECORDS.SIGNALFD);
  return call("make a signalfd", SYS.signalfd4, -1, Buffer.from(value.sigmask), SIGSET_BYTES, O_CLOEXEC);
}
