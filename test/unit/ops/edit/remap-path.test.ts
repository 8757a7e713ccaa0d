import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import type { MntEntry } from "../../../../src/formats/criu/tables/mnt.js";
import type { UnixSkEntry } from "../../../../src/formats/criu/tables/sk-unix.js";
import { textToBytes } from "../../../../src/io/text.js";
import { holdsPath } from "../../../../src/ops/edit/criu/similar.js";
import { fieldVisitor } from "../../../../src/schema/visit.js";
import { SetBuilder } from "../../../helpers/build-set.js";
import { openSet } from "../../../helpers/open-set.js";
import { suite } from "../../../helpers/suite.js";
import { edits, fixture, planned } from "./planned.js";

const test = suite("src/ops/edit/kinds/remap-path");

for (const name of ["logger", "locks", "deleted", "sockets", "terminal", "threads", "tree", "container"]) {
  test(`${name}: after a remap no path field of any image holds the old directory`, () => {
    const [from, to] = name === "container" ? ["/mnt", "/srv/m"] : ["/var/lib/crimg-demo", "/srv/demo"];
    const { after, plan } = planned(name, edits(`remap-path ${from}=${to}`));
    assert.ok(plan.changes.length > 0);
    let seen = 0;
    for (const file of after.files) {
      const image = after.imageNamed(file.name);
      for (const record of image?.readRecords() ?? [])
        fieldVisitor(record.table, holdsPath)?.(record.value, ({ owner, name: field }) => {
          const value = owner[field];
          const text = Buffer.isBuffer(value) ? value.toString("latin1") : String(value);
          assert.not.ok(text === from || text.startsWith(`${from}/`), `${file.name}: ${text}`);
          seen++;
        });
    }
    assert.ok(seen > 3, `${seen} fields seen`);
  });
}

test("only files.img changes where only it holds paths", () => {
  const { plan } = planned("logger", edits("remap-path /var/lib/crimg-demo/logger=/srv/l"));
  assert.equal([...plan.splices.keys()], ["files.img"]);
});

test("a path that only looks alike is left and told, with the reason", () => {
  const { plan } = planned("logger", edits("remap-path /var/lib/crimg-demo/log=/srv/l"));
  assert.is(plan.changes.length, 0);
  assert.is(plan.unmatched.length, 1);
  assert.match(plan.unmatched[0] ?? "", /--remap-path \/var\/lib\/crimg-demo\/log=\/srv\/l: no path/);
  assert.ok(plan.left.some(({ value }) => value === "/var/lib/crimg-demo/logger/run"));
});

test("link-remap names follow their file, by a directory's rule or by the file's own", () => {
  for (const [rule, link] of [
    ["/var/lib/crimg-demo/deleted=/srv/d", "/srv/d/link_remap.13"],
    ["/var/lib/crimg-demo/deleted/linked=/srv/x/linked", "/srv/x/link_remap.13"],
  ]) {
    const { after, plan } = planned("deleted", edits(`remap-path ${rule}`));
    const names = after.records(IMAGES.FILES).map(({ value }) => value.reg?.name);
    assert.ok(names.includes(link), String(names));
    assert.match(
      plan.notes.join(),
      /comes back from \/var\/lib\/crimg-demo\/deleted\/link_remap\.13: move that to/,
    );
  }
});

const sockets = (after: ReturnType<typeof planned>["after"]): UnixSkEntry[] =>
  after.records(IMAGES.FILES).flatMap(({ value }) => value.usk ?? []);

test("socket names keep their NUL; relative ones stay relative to a directory that moves", () => {
  const { after } = planned("sockets", edits("remap-path /var/lib/crimg-demo/sockets=/srv/s"));
  const names = sockets(after).map(({ name, name_dir }) => `${name_dir ?? ""} ${name.toString("latin1")}`);
  assert.ok(names.includes("/srv/s relative.sock\0"));
  assert.ok(names.includes(" /srv/s/absolute.sock\0"));
  assert.ok(names.includes(" \0crimg-sockets-1000"));
});

test("all sockets with one name are renamed, the accepted ones as well", () => {
  const { after } = planned(
    "sockets",
    edits("remap-path /var/lib/crimg-demo/sockets/relative.sock=/run/y.sock"),
  );
  const moved = sockets(after).filter(({ name }) => name.toString("latin1") === "y.sock\0");
  assert.is(moved.length, 2);
  assert.equal(new Set(moved.map(({ name_dir }) => name_dir)), new Set(["/run"]));
});

test("a socket name beyond 108 bytes is refused with the sentence", () => {
  const long = `/srv/${"x".repeat(90)}`;
  assert.throws(
    () => planned("sockets", edits(`remap-path /var/lib/crimg-demo/sockets=${long}`)),
    /would have 110 bytes with its NUL, a socket address holds 108/,
  );
});

test("a path beyond what Linux takes is refused", () => {
  assert.throws(
    () => planned("logger", edits(`remap-path /var/lib=/${"x/".repeat(2100)}x`)),
    /path too long: .* bytes \(expected at most 4095\)/,
  );
});

/** Mounts of a container: its root, a bind of a directory of it, an overlay, a bind from the host. */
function mounts(): SetBuilder {
  const mount = (rest: Partial<MntEntry>): MntEntry => ({
    ...{ fstype: 16, mnt_id: 1, root_dev: 1, parent_mnt_id: 0, flags: 0 },
    ...{ root: "/", mountpoint: "/", source: "none", options: "" },
    ...rest,
  });
  return new SetBuilder().image(IMAGES.INVENTORY, undefined, [{ img_version: 1 }]).image(IMAGES.MNTS, 9, [
    mount({ mnt_id: 2, root: "/srv/a/data", mountpoint: "/data", source: "/dev/sda1" }),
    mount({
      ...{ mnt_id: 3, root_dev: 2, mountpoint: "/srv/a/over", source: "overlay" },
      options: 'lowerdir=/srv/a/l1:/srv/a/l\\:2:/other,upperdir=/srv/a/up,context="system_u:/srv/a:s0"',
    }),
    mount({
      mnt_id: 4,
      root_dev: 3,
      root: "/srv/a/hosts",
      mountpoint: "/etc/hosts",
      ext_key: "/srv/a/hosts",
    }),
    mount({ mnt_id: 5, root_dev: 4, mountpoint: "/nfs", source: "server:/srv/a" }),
    mount({ mnt_id: 6, root_dev: 5, mountpoint: "/tmp/ghost", source: "/srv/a/src" }),
    mount({ mnt_id: 1, source: "/dev/sda1" }),
  ]);
}

test("mounts: point, root as it is seen, source and options move; labels and other hosts' paths stay", () => {
  const { after, plan } = planned(mounts().document(), edits("remap-path /srv/a=/srv/b"));
  const by = new Map(after.records(IMAGES.MNTS, 9).map(({ value }) => [value.mnt_id, value]));
  assert.is(by.get(2)?.root, "/srv/b/data");
  assert.is(by.get(3)?.mountpoint, "/srv/b/over");
  assert.is(
    by.get(3)?.options,
    'lowerdir=/srv/b/l1:/srv/b/l\\:2:/other,upperdir=/srv/b/up,context="system_u:/srv/a:s0"',
  );
  assert.is(by.get(4)?.root, "/srv/b/hosts");
  assert.is(by.get(4)?.ext_key, "/srv/a/hosts");
  assert.is(by.get(5)?.source, "server:/srv/a");
  assert.is(by.get(6)?.source, "/srv/b/src");
  const left = plan.left.map(({ field, why }) => `${field}: ${why}`);
  assert.ok(
    left.some((each) => each.startsWith("ext_key: a label")),
    left.join("\n"),
  );
  assert.ok(
    left.some((each) => each.startsWith("source: ")),
    left.join("\n"),
  );
});

test("a root inside a file system that is mounted elsewhere follows the path it is seen by", () => {
  const { after } = planned(mounts().document(), edits("remap-path /data=/srv/d"));
  const bind = after.records(IMAGES.MNTS, 9)[0]?.value;
  assert.is(bind?.mountpoint, "/srv/d");
  assert.is(bind?.root, "/srv/a/data");
});

test("keys of external files are no paths, and names of other bytes come through", () => {
  const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
  const reg = (id: number, name: string, ext?: boolean) => ({
    type: 1,
    id,
    reg: { id, flags: 0, pos: 0n, fown, name, build_id: [], ...(ext ? { ext } : {}) },
  });
  const set = new SetBuilder()
    .image(IMAGES.INVENTORY, undefined, [{ img_version: 1 }])
    .image(IMAGES.FILES, undefined, [
      reg(1, "/srv/a/key", true),
      reg(2, "/srv/a/\udcff"),
      reg(3, "srv/a/loose"),
      reg(4, "/srv/a/x (deleted)"),
    ]);
  const { after, plan } = planned(set.document(), edits("remap-path /srv/a=/b"));
  const names = after.records(IMAGES.FILES).map(({ value }) => value.reg?.name ?? "");
  assert.equal(names, ["/srv/a/key", "/b/\udcff", "b/loose", "/b/x (deleted)"]);
  assert.is(textToBytes(names[1] ?? "").at(-1), 0xff);
  assert.match(plan.left[0]?.why ?? "", /external file/);
});

test("contents of deleted files that hold the path are told, never touched", () => {
  const ghost = openSet(fixture("deleted"));
  const { plan } = planned(ghost, edits("remap-path /var/lib/crimg-demo=/srv/demo"), { scanMemory: true });
  assert.ok((plan.mentions?.length ?? 0) > 0, "argv and environ hold the path");
  for (const { image, text } of plan.mentions ?? []) {
    assert.match(image, /^pages-/);
    assert.is(text, "/var/lib/crimg-demo");
  }
});

test.run();
