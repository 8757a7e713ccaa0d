import * as assert from "uvu/assert";
import { validate } from "../../../../src/ops/validate/validate.js";
import { suite } from "../../../helpers/suite.js";
import { DamagedSet } from "./damaged-set.js";

const test = suite("sets that criu restores are valid");

function told(set: DamagedSet): string[] {
  const document = set.open();
  const { findings } = validate(document);
  document.close();
  return findings.filter(({ severity }) => severity !== "note").map(({ id, at }) => `${id} ${at.image}`);
}

/** The images of the network namespace of the container fixture. */
const NET = [
  "netns-10.img",
  "ifaddr-10.img",
  "route-10.img",
  "route6-10.img",
  "rule-10.img",
  "netdev-10.img",
];
const TABLES = ["nftables-10.img"];

test("a network namespace that the runtime makes has no image (criu dump --empty-ns net)", () => {
  const set = new DamagedSet("container");
  for (const name of [...NET, ...TABLES]) set.remove(name);
  assert.equal(told(set), told(new DamagedSet("container")));
});

test("but one whose image is lost has others", () => {
  assert.equal(told(new DamagedSet("container").remove("netns-10.img")), ["NAMESPACE_IMAGE netns-10.img"]);
});

test("a tmpfs with another mount that is external has no contents", () => {
  const set = new DamagedSet("container");
  const document = set.open();
  const image = document.set.fileSet.names().find((name) => /^mountpoints-\d+\.img$/.test(name)) ?? "";
  const records = [...(document.set.imageNamed(image)?.records() ?? [])];
  document.close();
  const tmpfs = records.find(({ value }) => value.root_dev === 45);
  const other = records.find((record) => record !== tmpfs && record.value.mountpoint !== "/");
  assert.ok(tmpfs && other);
  const lost = set.remove("tmpfs-dev-45.tar.gz.img");
  assert.equal(told(lost), [`MOUNT_CONTENTS ${image}`]);
  const external = lost
    .set(`${image}[${other?.index}].root_dev`, tmpfs?.value.root_dev)
    .set(`${image}[${other?.index}].ext_key`, "key");
  assert.not(told(external).some((each) => each.startsWith("MOUNT_CONTENTS")));
});

test.run();
