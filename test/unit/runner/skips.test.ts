import * as assert from "uvu/assert";
import { FOREIGN } from "../../helpers/foreign.js";
import { type Skipped, suite } from "../../helpers/suite.js";
import { skipTable, unannounced } from "../../runner/skips.js";

const test = suite("table of skips");

const skipped = (want: string, test = "a test"): Skipped => ({ test, reason: `no ${want}`, want });
const PROGRAM = FOREIGN.map(({ word }) => word);

test("without a skip there is no table", () => {
  assert.equal(skipTable([]), []);
});

test("it counts the skips of each thing, the most first, says the package and the one command", () => {
  assert.equal(skipTable(["nginx", "root", "root", "crit", "mkfs.xfs"].map((want) => skipped(want))), [
    "skipped for want of",
    "    2  root      run the tests as root",
    "    1  nginx     package nginx",
    "    1  crit      test/support/criu.sh, as packages.sh does",
    "    1  mkfs.xfs  package xfsprogs",
    "as root, this installs all of it: test/support/packages.sh",
  ]);
});

test("what no package brings names no command", () => {
  assert.equal(skipTable([skipped("machine")]), [
    "skipped for want of",
    "    1  machine  the skipped tests above say why",
  ]);
});

test("in CI every skip is an error that is not announced", () => {
  const all = [...PROGRAM, "criu", "crit", "root", "machine", "loop devices"].map((want) => skipped(want));
  const wants = (without: string) => unannounced(all, without).map(({ want }) => want);
  assert.equal(
    wants(""),
    all.map(({ want }) => want),
  );
  assert.equal(wants("packages"), ["criu", "crit", "root", "machine", "loop devices"]);
  assert.equal(wants("packages, criu root"), ["machine", "loop devices"]);
  assert.equal(wants("packages criu\nroot loop-devices machine"), []);
  assert.ok(wants("nginx").includes("nginx"), "a program is announced as a package");
  assert.ok(wants("pack").includes("nginx"), "half a word announces nothing");
});

test.run();
