import * as assert from "uvu/assert";
import { globMatcher } from "../../../src/io/glob.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/glob");

const CASES: readonly [pattern: string, yes: readonly string[], no: readonly string[]][] = [
  ["/var/log/*", ["/var/log/a", "/var/log/.b"], ["/var/log/a/b", "/var/log", "/x/var/log/a"]],
  ["/var/log/**", ["/var/log/a", "/var/log/a/b"], ["/var/logs/a"]],
  ["/a/**/z", ["/a/z", "/a/b/z", "/a/b/c/z"], ["/a/bz", "/az"]],
  ["*.log", ["/a/b.log", "c.log"], ["/a.log/b", "/a/blog"]],
  ["/tmp/file-[0-9]?", ["/tmp/file-1x"], ["/tmp/file-1", "/tmp/file-ax", "/tmp/file-1/"]],
  ["/tmp/[!a]b", ["/tmp/xb"], ["/tmp/ab", "/tmp//b"]],
  ["/{srv,opt}/x", ["/srv/x", "/opt/x"], ["/srv,opt/x", "/var/x"]],
  ["/a/\\*", ["/a/*"], ["/a/b"]],
  ["/a.b+(c)$", ["/a.b+(c)$"], ["/axb+(c)$"]],
  ["/日本/*", ["/日本/語"], ["/日/x"]],
  ["/open[", ["/open["], ["/open"]],
  ["/a/**/**/z", ["/a/z", "/a/b/c/z"], ["/az"]],
  ["/a{b,c{d,e}}f", ["/abf", "/acdf", "/acef"], ["/af", "/acf"]],
  ["/a{,b}", ["/a", "/ab"], ["/abb"]],
  ["/[]a-c-]", ["/]", "/b", "/-"], ["/d", "//"]],
  ["/[!]]", ["/a"], ["/]", "//"]],
  ["/[.-0]", ["/.", "/0"], ["//"]],
  ["/{a", ["/{a"], ["/a"]],
];

for (const [pattern, yes, no] of CASES) {
  test(`${pattern} matches what a shell would take it for`, () => {
    const matches = globMatcher(pattern);
    for (const path of yes) assert.ok(matches(path), `${path} should match`);
    for (const path of no) assert.not.ok(matches(path), `${path} should not match`);
  });
}

test("bytes that are no UTF-8 are matched like other characters", () => {
  assert.ok(globMatcher("/tmp/?")("/tmp/\udc80"));
  assert.ok(globMatcher("/tmp/*")("/tmp/a\udcffb"));
});

test("a line feed in a name does not end it", () => {
  assert.ok(globMatcher("/tmp/*")("/tmp/a\nb"));
});

for (const pattern of [
  `/${"*a".repeat(500)}*b`,
  `/${"**".repeat(500)}b`,
  `/${"{a,*}".repeat(300)}b`,
  `/${"{".repeat(1000)}a*${"}".repeat(1000)}b`,
  `/${"**/".repeat(800)}b`,
])
  test(`no path takes ${pattern.slice(0, 12)}… longer than a second`, () => {
    const matches = globMatcher(pattern);
    for (const path of [`/${"a".repeat(4000)}`, `/${"a/".repeat(2000)}`]) {
      const start = performance.now();
      assert.not.ok(matches(path));
      assert.ok(performance.now() - start < 5000);
    }
  });

test("a pattern longer than a path is a usage error", () => {
  assert.throws(() => globMatcher("*".repeat(5000)), /at most 4096/);
});

test("a range that runs backwards is a usage error", () => {
  assert.throws(() => globMatcher("/[z-a]"), /invalid pattern/);
});

test.run();
