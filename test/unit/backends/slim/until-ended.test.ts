import * as assert from "uvu/assert";
import { endedBy } from "../../../../src/backends/slim/until-ended.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("how a task ended");

test("words of wait(2)", () => {
  assert.equal(endedBy(0), { status: 0 });
  assert.equal(endedBy(7 << 8), { status: 7 });
  assert.equal(endedBy(255 << 8), { status: 255 });
  assert.equal(endedBy(9), { signal: "SIGKILL" });
  assert.equal(endedBy(11 | 0x80), { signal: "SIGSEGV" }, "with a core dump");
  assert.equal(endedBy(34), { signal: "signal 34" }, "a real-time signal has no name");
});

test.run();
