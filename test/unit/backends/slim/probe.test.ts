import * as assert from "uvu/assert";
import { type HostFacts, probeSlim } from "../../../../src/backends/slim/probe.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("probe of the slim backend");

const CAP_SYS_PTRACE = 1n << 19n;
const CAP_CHECKPOINT_RESTORE = 1n << 40n;
const HOST: HostFacts = {
  platform: "linux",
  arch: "x64",
  kernel: "6.1.0-18-amd64",
  hasCheckpointRestore: true,
  capabilities: CAP_CHECKPOINT_RESTORE,
  ptraceScope: undefined,
};

function reasonOn(facts: Partial<HostFacts>, choosesIds = true): string | undefined {
  const probe = probeSlim(choosesIds, { ...HOST, ...facts });
  return probe.able ? undefined : probe.reason;
}

test("one capability is enough", () => {
  assert.is(reasonOn({}), undefined);
  assert.is(reasonOn({ kernel: "5.6" }), undefined);
});

for (const [name, facts, said] of [
  ["another system", { platform: "darwin" }, /on Linux only; this is darwin$/],
  ["another architecture", { arch: "arm64" }, /x86-64 only; this is arm64$/],
  ["an old kernel", { kernel: "5.5.19" }, /needs Linux 5\.6 or later; this is 5\.5\.19$/],
  ["a kernel without the option", { hasCheckpointRestore: false }, /CONFIG_CHECKPOINT_RESTORE$/],
  ["an ordinary user", { capabilities: 0n }, /CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN/],
  ["tracing by nobody", { ptraceScope: 3 }, /ptrace_scope is 3/],
  ["tracing by administrators", { ptraceScope: 2 }, /CAP_SYS_PTRACE on this host/],
] as const)
  test(`says why not: ${name}`, () => {
    assert.match(reasonOn(facts) ?? "", said);
  });

test("what a host asks for beyond that", () => {
  assert.is(reasonOn({ ptraceScope: 2, capabilities: CAP_CHECKPOINT_RESTORE | CAP_SYS_PTRACE }), undefined);
  assert.is(reasonOn({ capabilities: 0n }, false), undefined);
});

test.run();
