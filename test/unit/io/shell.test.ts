import { spawnSync } from "node:child_process";
import * as assert from "uvu/assert";
import { extendedCommand, shellCommand, shellQuote, shownCommand } from "../../../src/io/shell.js";
import { bytesToText } from "../../../src/io/text.js";
import { suite } from "../../helpers/suite.js";

const test = suite("shell words");

/** What the shell makes of a quoted word, as bytes. */
function throughShell(word: string, shell: string): Buffer {
  return spawnSync(shell, ["-c", `printf %s ${shellQuote(word)}`], { timeout: 10_000 }).stdout;
}

test("words without special characters stay as they are", () => {
  assert.is(
    shellCommand(["criu", "restore", "-D", "/srv/a.b_c", "--x=1,2"]),
    "criu restore -D /srv/a.b_c --x=1,2",
  );
});

test("every shell reads back printable text", () => {
  for (const word of ["", "a b", "it's", '$HOME `id` \\ "', "*?[x]", "~", "# no comment", "ünï", "-n"])
    for (const shell of ["sh", "bash"]) assert.equal(throughShell(word, shell), Buffer.from(word), word);
});

test("bash reads back control characters and bytes that are not UTF-8", () => {
  for (const hex of ["0a", "1b5b33316d", "ff61fe", "27ff5c", "c3bc01", "e280ae61"]) {
    const bytes = Buffer.from(hex, "hex");
    assert.equal(throughShell(bytesToText(bytes), "bash"), bytes, hex);
  }
});

test("many empty arguments at the end of a command line are counted", () => {
  const title = ["redis-server *:6379", ...Array.from({ length: 67 }, () => "")];
  assert.is(shownCommand(title), "'redis-server *:6379' (and 67 empty arguments)");
  assert.is(shownCommand(["a", "", "b", "", ""]), "a '' b '' ''");
});

test("more words come in front of --, options behind -- behind those that are there", () => {
  const words = ["crimg", "restore", "a b", "--detach"];
  assert.is(extendedCommand(words, ""), "crimg restore 'a b' --detach");
  assert.is(extendedCommand(words, " --log 'x y'"), "crimg restore 'a b' --detach --log 'x y'");
  assert.is(extendedCommand(words, " -- --tcp-close"), "crimg restore 'a b' --detach -- --tcp-close");
  const passing = [...words, "--", "--shell-job"];
  assert.is(extendedCommand(passing, "--lossy"), "crimg restore 'a b' --detach --lossy -- --shell-job");
  assert.is(
    extendedCommand(passing, "--lossy -- --tcp-close"),
    "crimg restore 'a b' --detach --lossy -- --shell-job --tcp-close",
  );
});

test.run();
