/** How a thread goes on with a call that a stop interrupted, when nobody is there any more to put it right. */
import * as assert from "uvu/assert";
import { Registers } from "../../../../src/backends/slim/ptrace/registers.js";
import { callNumber, madeAgain } from "../../../../src/backends/slim/ptrace/restart.js";
import type { Tracee } from "../../../../src/backends/slim/ptrace/tracee.js";
import { suite } from "../../../helpers/suite.js";

const restarts = suite("interrupted calls that are made again");

const RIP = 0x401020;

/** A thread with these seven bytes before its instruction pointer, that slept in this function of the kernel. */
function thread(code: string, waitChannel = ""): Tracee {
  return { read: (at: bigint, size: number) => atRip(at, size, code), waitChannel } as unknown as Tracee;
}

function atRip(at: bigint, size: number, code: string): Buffer {
  assert.is(at, BigInt(RIP - 7));
  assert.is(size, 7);
  return Buffer.from(code, "hex");
}

const stopped = (rax: number, call: number): Registers =>
  new Registers().set("rip", RIP).set("rax", rax).set("orig_rax", call);

const SLEEP = thread("b8e60000000f05");
const HIDDEN_CODE = "4c8b4c24080f05";
const HIDDEN = thread(HIDDEN_CODE);

restarts("calls that restart are made again with their number", () => {
  for (const rax of [-512, -513, -514, -516]) {
    const again = madeAgain(SLEEP, stopped(rax, 0));
    assert.is(again.signed("rax"), 0);
    assert.is(again.get("rip"), BigInt(RIP - 2));
  }
});

restarts("a call that was restarted before is found by the instruction that loads its number", () => {
  assert.is(callNumber(SLEEP, stopped(-516, 219)), 230);
  assert.is(madeAgain(SLEEP, stopped(-516, 219)).signed("rax"), 230);
});

restarts("a call whose number is hidden is told by where in the kernel it slept", () => {
  for (const [channel, call] of [
    ["futex_wait_queue", 202],
    ["poll_schedule_timeout", 7],
  ] as const)
    assert.is(madeAgain(thread(HIDDEN_CODE, channel), stopped(-516, 219)).signed("rax"), call);
});

restarts("where nothing tells the call, it ends as by a signal", () => {
  const ended = madeAgain(HIDDEN, stopped(-516, 219));
  assert.is(ended.signed("rax"), -4);
  assert.is(ended.get("rip"), BigInt(RIP));
});

restarts("whatever else a call gave, and a thread that is in no call, stay", () => {
  for (const registers of [stopped(5, 0), stopped(-4, 232), stopped(-512, -1)])
    assert.ok(madeAgain(SLEEP, registers).bytes.equals(registers.bytes));
});

restarts.run();
