import { generateKeyPairSync } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { MAX_SEAL_BYTES, MAX_SEAL_VALUES } from "../../../../src/io/limits.js";
import { openDocument } from "../../../../src/open.js";
import { type SealOptions, sealImage, verifySeal } from "../../../../src/ops/seal/seal.js";
import { Random } from "../../../fuzz/random.js";
import { fixture, streamFixture } from "../../../helpers/images.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { refusal } from "../../../helpers/refusal.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops: seal", undefined, 60);
test.after(cleanUp);

const OPTIONS: SealOptions = { tool: "crimg test", command: "crimg seal", time: new Date(0) };
const verify = (image: string, bytes: Buffer, more: object = {}) =>
  verifySeal(openDocument(image), { bytes, name: "seal", ...more });

function copyOf(image: string): string {
  const to = join(freshDirectory("seal"), "image");
  fs.cpSync(image, to, { recursive: true });
  return to;
}

/** Flips one bit of a file. */
function flip(file: string, bit: number): void {
  const bytes = fs.readFileSync(file);
  bytes.writeUInt8((bytes[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3);
  fs.writeFileSync(file, bytes);
}

test("any flipped bit is named by its file, and by its record where there is one", () => {
  const set = copyOf(fixture("logger"));
  const { bytes } = sealImage(openDocument(set), OPTIONS);
  assert.equal(verify(set, bytes).differences, []);
  const random = new Random("seal");
  const files = fs.readdirSync(set);
  for (let i = 0; i < 150; i++) {
    const name = random.pick(files);
    const file = join(set, name);
    const { size } = fs.statSync(file);
    if (size === 0) continue;
    const bit = random.below(size * 8);
    flip(file, bit);
    const found = verify(set, bytes).differences;
    assert.equal(
      found.map(({ file: changed, what }) => [changed, what]),
      [[name, "changed"]],
      `bit ${bit} of ${name}`,
    );
    flip(file, bit);
  }
  const at = openDocument(set);
  const record = at.family === "criu" ? [...(at.set.imageNamed("files.img")?.records() ?? [])][3] : undefined;
  flip(join(set, "files.img"), ((record?.offset ?? 0) + 2) * 8);
  assert.equal(verify(set, bytes).differences, [{ file: "files.img", what: "changed", part: "record 3" }]);
});

test("a stream: records, and one that is longer", () => {
  const image = copyOf(streamFixture("logger"));
  const document = openDocument(image);
  const { bytes, seal } = sealImage(document, OPTIONS);
  assert.is(seal.files[0]?.records, document.family === "linux-cr" ? document.image.length : 0);
  const { offset } = document.family === "linux-cr" ? document.image.range(7) : { offset: 0 };
  flip(image, (offset + 9) * 8);
  assert.equal(verify(image, bytes).differences, [{ file: "image", what: "changed", part: "record 7" }]);
  flip(image, (offset + 9) * 8);
  fs.appendFileSync(image, "x");
  const [longer] = verify(image, bytes).differences;
  assert.is(longer?.what, "size changed");
});

test("missing and added files", () => {
  const set = copyOf(fixture("logger"));
  const { bytes } = sealImage(openDocument(set), OPTIONS);
  fs.renameSync(join(set, "fs-1000.img"), join(set, "fs-1001.img"));
  assert.equal(verify(set, bytes).differences, [
    { file: "fs-1000.img", what: "missing" },
    { file: "fs-1001.img", what: "added" },
  ]);
});

function keys(): { readonly publicKey: Buffer; readonly privateKey: Buffer } {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return {
    publicKey: Buffer.from(publicKey.export({ type: "spki", format: "pem" })),
    privateKey: Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

test("a signature by the key and no other, also after a change of the statement; the chain", () => {
  const [mine, other] = [keys(), keys()];
  const image = fixture("logger");
  const first = sealImage(openDocument(image), OPTIONS).bytes;
  const { bytes } = sealImage(openDocument(image), {
    ...OPTIONS,
    privateKey: mine.privateKey,
    previous: first,
  });
  const signedBy = (key: Buffer, seal = bytes) => verify(image, seal, { publicKey: key }).isSigned;
  assert.equal([signedBy(mine.publicKey), signedBy(other.publicKey)], [true, false]);
  assert.is(signedBy(mine.publicKey, first), false, "is not signed");
  const envelope = JSON.parse(bytes.toString());
  const payload = Buffer.from(envelope.payload, "base64").toString().replace("crimg test", "crimg fake");
  const forged = Buffer.from(
    JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString("base64") }),
  );
  assert.is(signedBy(mine.publicKey, forged), false);
  assert.is(verify(image, bytes, { previous: first }).follows, true);
  assert.is(verify(image, bytes, { previous: bytes }).follows, false);
  assert.match(
    refusal(() => verify(image, first, { publicKey: Buffer.from("no key") })),
    /^USAGE invalid public key/,
  );
});

test("what is no seal is refused", () => {
  const image = fixture("logger");
  const { bytes } = sealImage(openDocument(image), OPTIONS);
  const envelope = JSON.parse(bytes.toString());
  const statement = Buffer.from(envelope.payload, "base64").toString();
  const changed = (from: string | RegExp, to: string) => {
    assert.ok(statement.search(from) >= 0);
    const payload = Buffer.from(statement.replace(from, to)).toString("base64");
    return Buffer.from(JSON.stringify({ ...envelope, payload }));
  };
  for (const wrong of [
    Buffer.from("{}"),
    Buffer.from("seal"),
    Buffer.from(JSON.stringify({ ...envelope, payload: "" })),
    changed(/"sha256":"../, '"sha256":"00'),
    changed(/"size":\d+/, '"size":-1'),
    changed('"name":"core-1000.img"', '"name":"x"'),
    changed("urn:crimg:seal:v1", "urn:other"),
    changed(/"parts":\[\[\d+/, '"parts":[[1e99'),
  ])
    assert.match(
      refusal(() => verify(image, wrong)),
      /^INVALID .*(?:no seal of crimg|the seal is damaged)/,
    );
  assert.match(
    refusal(() => sealImage(openDocument(image), { ...OPTIONS, previous: Buffer.from("{}") })),
    /^INVALID .*no seal of crimg/,
  );
});

test("more values than an image has records are refused before they are parsed", () => {
  const image = fixture("logger");
  const { bytes } = sealImage(openDocument(image), OPTIONS);
  const envelope = JSON.parse(bytes.toString());
  const many = `[${"[],".repeat(MAX_SEAL_VALUES)}[]]`;
  const statement = Buffer.from(envelope.payload, "base64").toString();
  for (const wrong of [
    JSON.stringify({
      ...envelope,
      payload: Buffer.from(statement.replace('"files":', `"x":${many},"files":`)).toString("base64"),
    }),
    JSON.stringify(envelope).replace('"signatures":[', `"x":${many},"signatures":[`),
    `{"payload": "${" ".repeat(MAX_SEAL_BYTES)}"}`,
  ])
    assert.match(
      refusal(() => verify(image, Buffer.from(wrong))),
      /^TOO_LARGE .*a seal has at most/,
    );
});

test("of a file with very many records several are named together", () => {
  const image = copyOf(fixture("logger"));
  const file = join(image, "pstree.img");
  const bytes = fs.readFileSync(file);
  const [head, record] = [bytes.subarray(0, 8), bytes.subarray(8)];
  fs.writeFileSync(file, Buffer.concat([head, ...Array.from({ length: 100_000 }, () => record)]));
  const sealed = sealImage(openDocument(image), OPTIONS).bytes;
  flip(file, (8 + 50_001 * record.length + 5) * 8);
  assert.equal(verify(image, sealed).differences, [
    { file: "pstree.img", what: "changed", part: "records 50000-50001" },
  ]);
});

test.run();
