import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { AddressSpace } from "../../../../src/formats/criu/pages.js";
import type { CgroupEntry } from "../../../../src/formats/criu/tables/cgroup.js";
import { SetBuilder } from "../../../helpers/build-set.js";
import { openSet } from "../../../helpers/open-set.js";
import { suite } from "../../../helpers/suite.js";
import { edits, fixture, planned } from "./planned.js";

const test = suite("src/ops/edit/kinds: cgroup, hostname, comm and env");

function cgroups(entry: CgroupEntry): ReturnType<SetBuilder["document"]> {
  return new SetBuilder()
    .image(IMAGES.INVENTORY, undefined, [{ img_version: 1 }])
    .image(IMAGES.CGROUP, undefined, [entry])
    .document();
}

const dir = (dir_name: string, children: CgroupEntry["controllers"][number]["dirs"] = []) => ({
  dir_name,
  children,
  properties: [],
});
const member = (path: string, cgns_prefix?: number) => ({
  name: "",
  path,
  ...(cgns_prefix === undefined ? {} : { cgns_prefix }),
});
const group = (after: ReturnType<typeof planned>["after"]): CgroupEntry => after.required(IMAGES.CGROUP);
/** Directories as `name(children)`. */
const tree = (dirs: CgroupEntry["controllers"][number]["dirs"]): string =>
  dirs
    .map(({ dir_name, children }) => dir_name + (children.length > 0 ? `(${tree(children)})` : ""))
    .join(" ");

const CONTAINER: CgroupEntry = {
  sets: [{ id: 2, ctls: [member("/docker/old/app", 11), member("/docker/older", 0), member("/other")] }],
  controllers: [{ cnames: [""], dirs: [dir("docker/old", [dir("app"), dir("sub", [dir("deep")])])] }],
};

test("members, their namespace's prefix and directories move together", () => {
  const { after } = planned(cgroups(CONTAINER), edits("cgroup /docker/old=/docker/newer-one"));
  assert.equal(group(after).sets[0]?.ctls, [
    member("/docker/newer-one/app", 17),
    member("/docker/older", 0),
    member("/other"),
  ]);
  assert.is(tree(group(after).controllers[0]?.dirs ?? []), "docker/newer-one(app sub(deep))");
});

test("a directory inside the tree is renamed where it stands, or leaves its parent", () => {
  const rename = planned(cgroups(CONTAINER), edits("cgroup /docker/old/sub=/docker/old/sup"));
  assert.is(tree(group(rename.after).controllers[0]?.dirs ?? []), "docker/old(app sup(deep))");
  const leave = planned(cgroups(CONTAINER), edits("cgroup /docker/old/sub=/elsewhere/sub"));
  assert.is(tree(group(leave.after).controllers[0]?.dirs ?? []), "docker/old(app) elsewhere/sub(deep)");
});

test("a member outside its namespace's root is refused", () => {
  const set = cgroups({ sets: [{ id: 2, ctls: [member("/docker/old/app", 11)] }], controllers: [] });
  assert.throws(
    () => planned(set, edits("cgroup /docker/old/app=/elsewhere")),
    /root of the tasks' cgroup namespace is \/docker\/old/,
  );
});

test("the real container's group moves in every controller", () => {
  const { after, plan } = planned("container", edits("cgroup /crimg-demo/web=/crimg-demo/web2"));
  assert.ok(plan.changes.length >= 4);
  for (const { ctls } of group(after).sets)
    for (const { path } of ctls) assert.not.ok(path === "/crimg-demo/web", path);
});

test("the host name changes in each UTS namespace; the domain stays", () => {
  const before = openSet(fixture("container")).set.required(IMAGES.UTSNS, 12);
  const { after } = planned("container", edits("hostname web2"));
  assert.equal(after.required(IMAGES.UTSNS, 12), { ...before, nodename: "web2" });
});

test("without a UTS namespace there is nothing to rename, and a name too long is refused", () => {
  assert.match(planned("logger", edits("hostname web2")).plan.unmatched[0] ?? "", /no UTS namespace/);
  assert.throws(() => planned("container", edits(`hostname ${"x".repeat(65)}`)), /expected 1 to 64/);
});

test("a task's name changes in both places, a thread's in its own, 15 bytes at most", () => {
  const { after } = planned("threads", edits("comm 1000=näme"));
  const core = after.required(IMAGES.CORE, 1000);
  assert.is(core.tc?.comm, "näme");
  assert.is(core.thread_core?.comm, "näme");
  assert.throws(() => planned("threads", edits(`comm 1000=${"x".repeat(16)}`)), /at most 15 bytes/);
  assert.match(planned("threads", edits("comm 7=x")).plan.unmatched[0] ?? "", /no task or thread 7/);
});

/** A variable of some task of the fixtures, as its memory holds it. */
function variable(): { set: string; pid: number; key: string; value: string } {
  for (const set of ["tree", "container", "threads", "logger"]) {
    const document = openSet(fixture(set));
    for (const { pid, mm } of document.checkpoint.tasks) {
      const environArea = mm?.environ;
      const space = AddressSpace.of(document.set, pid);
      if (space === undefined || environArea === undefined || environArea.end <= environArea.start) continue;
      const text = space
        .read(environArea.start, Number(environArea.end - environArea.start))
        .toString("latin1");
      const [, key, value] = /^([A-Z]+)=([^\0]{4,})\0/.exec(text) ?? [];
      if (key !== undefined && value !== undefined) return { set, pid, key, value };
    }
  }
  throw new Error("no fixture holds an environment");
}

const environ = (after: ReturnType<typeof planned>["after"], pid: number): string => {
  const { mm_env_start, mm_env_end } = after.required(IMAGES.MM, pid);
  return (AddressSpace.of(after, pid) as AddressSpace)
    .read(mm_env_start, Number(mm_env_end - mm_env_start))
    .toString("latin1");
};

test("a variable is changed in its page; a shorter value is filled up with NULs", () => {
  const { set, pid, key, value } = variable();
  for (const fresh of ["x".repeat(value.length), "ab", ""]) {
    const { after, plan } = planned(set, edits(`env ${pid}:${key}=${fresh}`));
    assert.ok(
      environ(after, pid).startsWith(`${key}=${fresh}${"\0".repeat(value.length - fresh.length + 1)}`),
    );
    assert.equal(
      [...plan.splices.keys()].map((name) => name.replace(/\d+/, "N")),
      ["pages-N.img"],
    );
    for (const splices of plan.splices.values())
      for (const { size, bytes } of splices) assert.is(size, bytes.length);
  }
});

test("a longer value is refused with both lengths, an unknown variable is no match", () => {
  const { set, pid, key, value } = variable();
  assert.throws(
    () => planned(set, edits(`env ${pid}:${key}=${value}xyz`)),
    new RegExp(`has ${value.length} bytes, and there is no room for 3 more`),
  );
  assert.match(planned(set, edits(`env ${pid}:NO_SUCH=1`)).plan.unmatched[0] ?? "", /no variable NO_SUCH/);
  assert.match(planned(set, edits(`env 99999:${key}=1`)).plan.unmatched[0] ?? "", /task 99999/);
});

test("the memory scan finds where the old value stands, with its address", () => {
  const { set, pid, key, value } = variable();
  const { plan } = planned(set, edits(`env ${pid}:${key}=x`), { scanMemory: true });
  const space = AddressSpace.of(openSet(fixture(set)).set, pid) as AddressSpace;
  assert.ok((plan.mentions?.length ?? 0) > 0);
  for (const mention of plan.mentions ?? [])
    if (mention.pid === pid) assert.is(space.read(mention.address, value.length).toString("latin1"), value);
});

test.run();
