import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const pkg = JSON.parse(read("package.json"));
const lock = JSON.parse(read("package-lock.json"));
const test = suite("package.json");

test("every dependency has an exact version", () => {
  const all = { ...pkg.dependencies, ...pkg.devDependencies };
  const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version as string));
  assert.equal(loose, []);
});

test("the lock file agrees with package.json and records no download address", () => {
  const { dependencies, devDependencies, version } = lock.packages[""];
  assert.equal(
    { dependencies, devDependencies, version },
    {
      dependencies: pkg.dependencies,
      devDependencies: pkg.devDependencies,
      version: pkg.version,
    },
  );
  assert.not.ok(read("package-lock.json").includes('"resolved": "http'));
});

test("Node 20 and newer are supported", () => {
  assert.is(pkg.engines.node, ">=20");
});

test("what is published is there", () => {
  for (const name of pkg.files) assert.ok(existsSync(join(ROOT, name)), `${name} is missing`);
  for (const name of [pkg.bin.crimg, pkg.exports["."].types, pkg.exports["."].default])
    assert.ok(existsSync(join(ROOT, name)), `${name} is missing`);
});

test("the package can be imported by its name, with types and without side effects on start-up", async () => {
  const library = await import(pkg.name);
  assert.type(library.isCrimgError, "function");
  assert.is(pkg.sideEffects, false);
});

test("the changelog knows this version", () => {
  assert.ok(read("CHANGELOG.md").includes(`## ${pkg.version}`));
});

test.run();
