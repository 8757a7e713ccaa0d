import { RECORDS } from "../../../../formats/linux-cr/records.js";
import type { StreamReader } from "../../../../model/linux-cr/reader.js";
import { SYS } from "../../sys/abi-x64.js";
import { call } from "../../sys/syscall.js";
import { timeBytes } from "../timers.js";
import type { ImageFile } from "./open-files.js";

const CLOEXEC = 0o2000000;
const TFD_IOC_SET_TICKS = 0x4008_5400;
const SIGSET_BYTES = 8;

export function makeEventFd({ value }: ImageFile): number {
  const fd = call("make an eventfd", SYS.eventfd2, 0, CLOEXEC | (value.flags ?? 0));
  if (value.count !== undefined && value.count > 0n) {
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(value.count);
    call("set the count of an eventfd", SYS.write, fd, count, count.length);
  }
  return fd;
}

export function makeEpoll(): number {
  return call("make an epoll instance", SYS.epoll_create1, CLOEXEC);
}

/** A timerfd with what it had counted; `armTimerFd` starts it. */
export function makeTimerFd(reader: StreamReader, { part }: ImageFile): number {
  const { value: timer } = reader.get(part, RECORDS.TIMERFD);
  const fd = call("make a timerfd", SYS.timerfd_create, timer.clock_id, CLOEXEC);
  if (timer.ticks > 0n) {
    const ticks = Buffer.alloc(8);
    ticks.writeBigUInt64LE(timer.ticks);
    call("set the count of a timerfd", SYS.ioctl, fd, TFD_IOC_SET_TICKS, ticks);
  }
  return fd;
}

/** Arms a timerfd with what it had left. */
export function armTimerFd(reader: StreamReader, { part }: ImageFile, fd: number): void {
  const { value: timer } = reader.get(part, RECORDS.TIMERFD);
  if (timer.value_ns === 0n) return;
  const times = timeBytes(timer.interval_ns, timer.value_ns, 1n);
  call("arm a timerfd", SYS.timerfd_settime, fd, 0, times, 0);
}

export function makeSignalFd(reader: StreamReader, { part }: ImageFile): number {
  const { value } = reader.get(part, RECORDS.SIGNALFD);
  return call("make a signalfd", SYS.signalfd4, -1, Buffer.from(value.sigmask), SIGSET_BYTES, CLOEXEC);
}
