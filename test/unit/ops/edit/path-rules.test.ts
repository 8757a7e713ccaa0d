import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { PathRules, parsePathRule } from "../../../../src/ops/edit/path-rules.js";
import { holds } from "../../../helpers/property.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("src/ops/edit/path-rules");

const rules = (...texts: string[]): PathRules => new PathRules(texts.map(parsePathRule));
const map = (rule: string, path: string): string | undefined => rules(rule).map(path)?.path;

test("a rule changes the path itself and what lies below it, not a longer name", () => {
  assert.is(map("/srv/a=/srv/b", "/srv/a"), "/srv/b");
  assert.is(map("/srv/a=/srv/b", "/srv/a/x/y"), "/srv/b/x/y");
  assert.is(map("/srv/a=/srv/b", "/srv/ab"), undefined);
  assert.is(map("/srv/a=/srv/b", "/srv"), undefined);
  assert.is(map("/srv/a=/srv/b", "/x/srv/a"), undefined);
});

test("the longest rule wins whatever the order", () => {
  for (const order of [
    ["/a=/1", "/a/b=/2", "/a/b/c=/3"],
    ["/a/b/c=/3", "/a=/1", "/a/b=/2"],
  ]) {
    const all = rules(...order);
    assert.is(all.map("/a/b/c/d")?.path, "/3/d");
    assert.is(all.map("/a/b/x")?.path, "/2/x");
    assert.is(all.map("/a/x")?.path, "/1/x");
  }
});

test("a path is mapped once: what a rule made is not matched again", () => {
  assert.is(rules("/a=/b", "/b=/a").map("/a/x")?.path, "/b/x");
});

test("the root moves everything, and a move to the root leaves no empty path", () => {
  assert.is(map("/=/mnt", "/etc/passwd"), "/mnt/etc/passwd");
  assert.is(map("/=/mnt", "/"), "/mnt");
  assert.is(map("/mnt=/", "/mnt"), "/");
  assert.is(map("/mnt=/", "/mnt/etc"), "/etc");
});

test("the suffix of a deleted file is kept, and no part of the name", () => {
  assert.is(map("/a=/b", "/a (deleted)"), "/b (deleted)");
  assert.is(map("/a=/b", "/a/x (deleted)"), "/b/x (deleted)");
  assert.is(map("/a/x=/b", "/a/x (deleted)"), "/b (deleted)");
});

test("a path without its leading slash is matched where asked for and stays without", () => {
  assert.is(rules("/a=/b").map("a/x"), undefined);
  assert.is(rules("/a=/b").mapLoose("a/x")?.path, "b/x");
  assert.is(rules("/a=/b").mapLoose(""), undefined);
});

test("bytes that are no UTF-8 come through", () => {
  assert.is(map("/a=/b", "/a/\udcff\udc80"), "/b/\udcff\udc80");
});

test("slashes at the end and in a row do not matter in a rule", () => {
  assert.is(map("/a//b/=/c/", "/a/b/x"), "/c/x");
});

for (const bad of ["/a", "a=/b", "/a=b", "=/b", "/a/../b=/c", "/a=/./b", "/a=/b\0"]) {
  test(`${JSON.stringify(bad)} is refused`, () => {
    assert.throws(
      () => parsePathRule(bad),
      (error: Error) => /USAGE/.test((error as unknown as { code: string }).code),
    );
  });
}

test("two rules for one path that disagree are refused", () => {
  assert.throws(() => rules("/a=/b", "/a=/c"), /two targets for \/a/);
  assert.is(rules("/a=/b", "/a=/b").map("/a")?.path, "/b");
});

test("a rule and its reverse give every path below it back", () => {
  const name = fc.stringMatching(/^[a-z .]{1,4}$/).filter((part) => part !== "." && part !== "..");
  holds(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (parts) => {
      const path = `/old/${parts.join("/")}`;
      const there = map("/old=/new/place", path) as string;
      assert.is(map("/new/place=/old", there), path);
    }),
  );
});

test.run();
