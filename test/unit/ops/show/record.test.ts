import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { NotFoundError } from "../../../../src/io/errors.js";
import type { CriuDocument } from "../../../../src/model/document.js";
import { compareReleases, surveyFields } from "../../../../src/ops/show/field-survey.js";
import { recordView } from "../../../../src/ops/show/record.js";
import { SetBuilder } from "../../../helpers/build-set.js";
import { suite } from "../../../helpers/suite.js";
import { regular } from "./sets.js";

const test = suite("src/ops/show/record");

const lock = (pid: number) => ({ flag: 1, type: 0, pid, fd: 3, start: 0n, len: 0n });
const document = (): CriuDocument =>
  new SetBuilder()
    .image(IMAGES.PSTREE, undefined, [{ pid: 1, ppid: 0, pgid: 1, sid: 1, threads: [1, 2] }])
    .image(IMAGES.FILE_LOCKS, undefined, [lock(1), lock(2), lock(3)])
    .image(IMAGES.FILES, undefined, [
      {
        ...{ type: 1, id: 1, reg: regular(1, "/a", { flags: 0x401, size: 1n << 60n, mode: 0o100644 }) },
        _unknown: [{ number: 99, wireType: 0, data: Buffer.from([5]) }],
      },
    ])
    .document();

const fieldsOf = (name: string): Map<string, unknown> => {
  const [record] = recordView(document(), name).records;
  return new Map([...(record?.fields ?? [])].map(({ path, text, value }) => [path, text ?? value]));
};

test("one record, with names for numbers and nested fields by their path", () => {
  const fields = fieldsOf("files.img[0]");
  assert.is(fields.get("type"), "REG (1)");
  assert.is(fields.get("reg.flags"), "0x401 O_WRONLY|O_APPEND");
  assert.is(fields.get("reg.mode"), "0100644");
  assert.is(fields.get("reg.size"), 1n << 60n);
  assert.is(fields.get("reg.name"), "/a");
});

test("an unknown field is shown as such", () => {
  assert.is(fieldsOf("files.img[0]").get("_unknown"), "field 99, wire type 0: 05");
});

test("all records of an image, whose name may lack its ending", () => {
  for (const name of ["filelocks.img", "filelocks"])
    assert.is([...recordView(document(), name).records].length, 3);
});

for (const [name, sentence] of [
  ["filelocks.img[3]", "no such record 3 in filelocks.img (3 records, numbered from 0)"],
  ["filelock", "no such image filelock (expected one of filelocks.img, files.img)"],
  ["../etc/passwd", "no such image ../etc/passwd (expected one of filelocks.img, files.img, pstree.img)"],
] as const)
  test(`${name} is not found`, () => {
    assert.throws(
      () => recordView(document(), name),
      (error: Error) => error instanceof NotFoundError && error.message === sentence,
    );
  });

test("the survey names the newest field and the unknown ones", () => {
  const { set, checkpoint } = document();
  const { since, unknown } = surveyFields(set, checkpoint.tasks);
  assert.equal(since, { release: "3.4", field: "files.img" });
  assert.equal(unknown, ["file_entry field 99"]);
});

test("releases are ordered as criu made them", () => {
  const sorted = ["criu-dev", "1.3", "1.3-rc2", "4.2", "3.19", "0.9", "1.6.1", "1.6"].sort(compareReleases);
  assert.equal(sorted, ["0.9", "1.3-rc2", "1.3", "1.6", "1.6.1", "3.19", "4.2", "criu-dev"]);
});

test.run();
