import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { parseRecipe } from "../../../../src/model/recipe.js";
import { recipeEdits } from "../../../../src/ops/edit/plan-edits.js";
import { suite } from "../../../helpers/suite.js";
import { planned } from "./planned.js";

const test = suite("src/ops/edit/kinds/policy");

async function recipe(set: string, text: string, variables = new Map<string, string>()) {
  const read = await parseRecipe(text, "recipe.yaml", variables);
  return planned(set, recipeEdits(read), {}, read.policies);
}

const regs = ({ after }: Awaited<ReturnType<typeof recipe>>) =>
  new Map(after.records(IMAGES.FILES).map(({ value }) => [value.reg?.name, value.reg]));
const fds = ({ after }: Awaited<ReturnType<typeof recipe>>, table: number) =>
  after.records(IMAGES.FDINFO, table).map(({ value }) => value.fd);

test("the first policy that matches decides", async () => {
  const answer = await recipe(
    "logger",
    `
policies:
  - path: "**/messages"
    action: ignore
  - path: /var/lib/crimg-demo/**
    action: reopen
`,
  );
  const log = regs(answer).get("/var/lib/crimg-demo/logger/log/messages");
  assert.ok(log?.mode !== undefined);
  assert.is(regs(answer).get("/var/lib/crimg-demo/logger/data/records")?.size, undefined);
  assert.equal(regs(answer).get("/var/lib/crimg-demo/logger/bin/logger")?.build_id, []);
});

test("descriptors are dropped by type and by number", async () => {
  const sockets = await recipe(
    "sockets",
    "policies: [{type: netlinksk, action: drop}, {type: PACKETSK, action: close}]",
  );
  assert.not.ok(fds(sockets, 2).some((fd) => fd === 26 || fd === 27));
  const numbers = await recipe(
    "logger",
    'policies: [{fd: 4, action: drop}, {fd: "1000:5", action: drop}, {fd: "7:0", action: drop}]',
  );
  assert.equal(fds(numbers, 2), [0, 1, 2, 3]);
});

test("a descriptor that is no file is reopened as one", async () => {
  const answer = await recipe(
    "terminal",
    "policies: [{type: tty, action: reopen, to: /srv/tty, append: true}]",
  );
  const files = answer.after.records(IMAGES.FILES).map(({ value }) => value);
  assert.not.ok(files.some(({ tty }) => tty !== undefined));
  assert.is(files.filter(({ reg }) => reg?.name === "/srv/tty").length, 2);
});

test("a file is remapped, into a directory under its own name when `to` ends in a slash", async () => {
  const answer = await recipe(
    "logger",
    "policies: [{path: '**/records', action: remap, to: /srv/data/}, {path: '**/logger.conf', action: remap, to: /etc/l.conf}]",
  );
  assert.ok(regs(answer).has("/srv/data/records"));
  assert.ok(regs(answer).has("/etc/l.conf"));
});

test("error refuses with what it met", async () => {
  try {
    await recipe("sockets", "policies: [{type: INETSK, action: error}]");
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /a policy refuses descriptor 1000:18 \(INETSK\)/);
  }
});

test("what is for files alone says so for other descriptors", async () => {
  try {
    await recipe("sockets", "policies: [{type: INETSK, action: accept}]");
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /accept applies to files only/);
  }
});

test("policies that match nothing are no match together", async () => {
  const { plan } = await recipe("logger", "policies: [{path: /nowhere/**, action: drop}]");
  assert.is(plan.unmatched.length, 1);
});

test("edits of a recipe are flags by other means, with variables, in their order", async () => {
  const text = `
vars: {home: /srv/demo}
remap-path:
  /var/lib/crimg-demo/logger: \${home}/logger
no-file-check: ["\${home}/logger/log/*", "\${home}/logger/data/*"]
comm: {1000: renamed}
set:
  files.img[3].reg.fown: {uid: 7, euid: 0, signum: 0, pid_type: 0, pid: 0}
  files.img[3].reg.pos: 18446744073709551614
`;
  const answer = await recipe("logger", text, new Map([["home", "/opt"]]));
  const log = regs(answer).get("/opt/logger/log/messages");
  assert.is(log?.mode, undefined);
  assert.is(log?.fown.uid, 7);
  assert.is(log?.pos, 2n ** 64n - 2n);
  assert.is(answer.after.required(IMAGES.CORE, 1000).tc?.comm, "renamed");
});

test("a key that is no edit is refused", async () => {
  try {
    await recipe("logger", "remap-paths: {/a: /b}");
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /unknown edit "remap-paths" \(expected remap-path/);
  }
});

test.run();
