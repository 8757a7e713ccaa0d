/** What the files of an engine say too is changed with the images, and no other byte of these files. */
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { JsonText } from "../../../../src/formats/archive/json-text.js";
import { rewrittenTar } from "../../../../src/formats/archive/tar/rewrite.js";
import { TarTree } from "../../../../src/formats/archive/tar/tree.js";
import { joined } from "../../../../src/formats/archive/tree.js";
import { applyPlan, openDocument, planEdits, undoEdits } from "../../../../src/index.js";
import { ConcatSource } from "../../../../src/io/concat.js";
import { MemorySource } from "../../../../src/io/source.js";
import { SplicedSource } from "../../../../src/io/splice.js";
import { fixture } from "../../../helpers/images.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { tickerTar } from "../../../helpers/packages.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("facts in the files of engines");
test.after(cleanUp);

/** Written as no serialiser would: such bytes have to stay. */
const CONFIG = `{ "id":"c1", "name" : "web\\u0031", "big": 12345678901234567890, "x": 1.50,
  "newPortMappings":[{"host_ip":"","container_port":8080,"host_port":80,"range":1,"protocol":"tcp"},
   {"container_port":8080,"host_port":81,"protocol":"udp"},
   {"container_port":8070,"host_port":90,"range":20,"protocol":"tcp"}],
  "portMappings":[{"hostPort":1,"containerPort":8080,"protocol":"tcp"}],
  "networks":{"podman":{"static_ips":["10.88.0.5"]}}, "cgroupParent":"/libpod_parent",
  "note":"8080 10.88.0.5 ticker" }`;
const SPEC = `{"hostname":"ticker","process":{"env":["A=ticker","HOSTNAME=ticker","TERM=xterm"],"cwd":"/data/x"},
 "mounts":[{"destination":"/data","source":"/srv/data"},{"destination":"/y","source":"/srv/database"}],
 "annotations":{"io.kubernetes.cri-o.IP.0":"10.88.0.5","other":"10.88.0.5"},
 "linux":{"cgroupsPath":"/libpod_parent/libpod-1"}}`;
const NETWORK = `{"podman":{"interfaces":{"eth0":{"subnets":[{"ipnet":"10.88.0.5/16","gateway":"10.88.0.1"}]}}}}`;

/** The archive of Podman with other files beside the images; gives its path. */
function archive(files: Readonly<Record<string, string>>): string {
  const tree = new TarTree(new MemorySource(tickerTar(), "a.tar"), "a.tar");
  const changes = new Map(
    Object.entries(files).map(([name, text]) => [name, new MemorySource(Buffer.from(text), name)]),
  );
  const source = new ConcatSource("a.tar", rewrittenTar(tree, changes));
  const file = path.join(freshDirectory("facts"), "a.tar");
  fs.writeFileSync(file, source.read(0, source.size));
  return file;
}

/** Edits the archive in place; gives its files after it, and what the plan lists of files of engines. */
function edited(file: string, ...edits: readonly (readonly [kind: string, text: string])[]) {
  const document = openDocument(file);
  const plan = planEdits(
    document,
    edits.map(([kind, text]) => ({ kind, text })),
  );
  assert.equal(plan.unmatched, []);
  applyPlan(document, plan, { to: "in place" }, { version: "0" });
  document.close();
  const after = openDocument(file);
  const read = (name: string): string => {
    const tree = after.family === "criu" ? after.packaged?.set.tree : undefined;
    const source = tree?.open(joined(name));
    return source?.read(0, source.size).toString("utf8") ?? "";
  };
  const facts = plan.changes.filter(({ image }) => !image.endsWith(".img"));
  return {
    plan,
    read,
    facts: facts.map(({ image, field, before, after: now }) => `${image} ${field}: ${before} -> ${now}`),
  };
}

/** What an edit would do to a set in a directory. */
function planOf(kind: string, text: string) {
  const document = openDocument(fixture("logger"));
  const plan = planEdits(document, [{ kind, text }]);
  document.close();
  return plan;
}

test("listen ports: mappings that lead to them, of TCP alone, and not ranges", () => {
  const { read, facts, plan } = edited(archive({ "config.dump": CONFIG }), ["tcp-listen-remap", "8080:9090"]);
  assert.equal(facts, [
    "config.dump newPortMappings[0].container_port: 8080 -> 9090",
    "config.dump portMappings[0].containerPort: 8080 -> 9090",
  ]);
  const expected = CONFIG.replace('_port":8080,"host_port":80,', '_port":9090,"host_port":80,').replace(
    'Port":8080',
    'Port":9090',
  );
  assert.is(read("config.dump"), expected);
  assert.equal(
    plan.left.filter(({ image }) => image === "config.dump").map(({ field, why }) => `${field}: ${why}`),
    ["newPortMappings[2].container_port: one of 20 consecutive ports, which change together"],
  );
});

test("addresses, host name, control groups, sources of mounts, working directory", () => {
  const file = archive({ "config.dump": CONFIG, "spec.dump": SPEC, "network.status": NETWORK });
  const original = fs.readFileSync(file);
  const { read, facts } = edited(
    file,
    ["remap-address", "10.88.0.5=10.88.7.7"],
    ["hostname", 'a"b\u00e9'],
    ["cgroup", "/libpod_parent=/moved"],
    ["remap-path", "/srv/data=/mnt"],
    ["remap-path", "/data=/elsewhere"],
  );
  assert.equal(facts.sort(), [
    "config.dump cgroupParent: /libpod_parent -> /moved",
    "config.dump networks.podman.static_ips[0]: 10.88.0.5 -> 10.88.7.7",
    "network.status podman.interfaces.eth0.subnets[0].ipnet: 10.88.0.5/16 -> 10.88.7.7/16",
    "spec.dump annotations.io.kubernetes.cri-o.IP.0: 10.88.0.5 -> 10.88.7.7",
    'spec.dump hostname: ticker -> a"b\u00e9',
    "spec.dump linux.cgroupsPath: /libpod_parent/libpod-1 -> /moved/libpod-1",
    "spec.dump mounts[0].source: /srv/data -> /mnt",
    "spec.dump process.cwd: /data/x -> /elsewhere/x",
    'spec.dump process.env[1]: HOSTNAME=ticker -> HOSTNAME=a"b\u00e9',
  ]);
  const spec = JSON.parse(read("spec.dump")) as { hostname: string; annotations: Record<string, string> };
  assert.is(spec.hostname, 'a"b\u00e9');
  assert.is(spec.annotations.other, "10.88.0.5");
  assert.is(read("network.status"), NETWORK.replace("10.88.0.5", "10.88.7.7"));
  assert.ok(read("config.dump").includes('12345678901234567890, "x": 1.50'));
  const document = openDocument(file);
  undoEdits(document, 1, { to: "in place" });
  document.close();
  assert.ok(fs.readFileSync(file).equals(original));
});

test("standard streams of the first task, and variables of its environment", () => {
  const { read, facts } = edited(
    archive({}),
    ["fd", "1:1=/data/out,append"],
    ["drop-fd", "1:0"],
    ["env", "1:TERM=vt100"],
  );
  assert.match(read("checkpoint/descriptors.json"), /^\["\/dev\/null","\/data\/out","pipe:\[\d+\]"\]$/);
  assert.equal(
    facts.filter((fact) => fact.includes("env")),
    [
      "spec.dump process.env[0]: TERM=xterm -> TERM=vt100",
      "config.dump spec.process.env[0]: TERM=xterm -> TERM=vt100",
    ],
  );
});

test("the name of the container, in all files that have it", () => {
  const { facts } = edited(
    archive({ "config.dump": CONFIG, "status.dump": '{"metadata":{"name":"web1","attempt":2}}' }),
    ["container-name", "other"],
  );
  assert.equal(facts, ["config.dump name: web1 -> other", "status.dump metadata.name: web1 -> other"]);
  assert.match(
    planOf("container-name", "x").unmatched.join(),
    /no file of an engine beside the images has the name/,
  );
  assert.throws(() => planOf("container-name", "-x"), /invalid name "-x"/);
});

test("the id of the container, with the paths and control groups named after it", () => {
  const [old, id] = ["a".repeat(64), "b".repeat(64)];
  const config = `{"id":"${old}","name":"web","ShmDir":"/run/${old}/shm","mounts":["/run/${old}/shm"],"pid_file":"/other"}`;
  const spec = `{"mounts":[{"destination":"/x","source":"/run/${old}/x"}],"linux":{"cgroupsPath":"/parent/libpod-${old}"}}`;
  const { read, facts } = edited(archive({ "config.dump": config, "spec.dump": spec }), ["container-id", id]);
  assert.is(read("config.dump"), config.replaceAll(old, id));
  assert.is(read("spec.dump"), spec.replaceAll(old, id));
  assert.is(facts.length, 5);
  assert.match(
    planOf("container-id", id).unmatched.join(),
    /no file of an engine beside the images has the id/,
  );
  assert.throws(() => planOf("container-id", "x"), /invalid id "x" \(expected 64 hexadecimal digits/);
});

test("an edit sees what those before it made of a value", () => {
  const { facts } = edited(
    archive({ "spec.dump": SPEC }),
    ["remap-path", "/srv/data=/a"],
    ["hostname", "x"],
    ["remap-path", "/a=/b"],
  );
  assert.equal(facts.slice(-1), ["spec.dump mounts[0].source: /a -> /b"]);
});

test("scalars of a JSON text: escapes, nesting, repeated keys", () => {
  const text = '{"a\\"b":["x\\\\",{"k":-1.5e3,"k":"\u00e9\\u00e9"}],"e":{},"l":[],"t":true}';
  const json = new JsonText(new MemorySource(Buffer.from(text), "x"), () => true);
  assert.equal(json.scalars(), [
    { path: ['a"b', 0], value: "x\\" },
    { path: ['a"b', 1, "k"], value: -1500 },
    { path: ['a"b', 1, "k"], value: "\u00e9\u00e9" },
  ]);
  json.set(['a"b', 1, "k"], "z");
  const source = new SplicedSource(new MemorySource(Buffer.from(text), "x"), json.splices());
  assert.is(
    source.read(0, source.size).toString("utf8"),
    '{"a\\"b":["x\\\\",{"k":"z","k":"z"}],"e":{},"l":[],"t":true}',
  );
  const deep = `${"[".repeat(50_000)}1${"]".repeat(50_000)}`;
  assert.equal(new JsonText(new MemorySource(Buffer.from(deep), "x"), () => true).scalars(), []);
});

test("a file of an engine that is no JSON is refused with its name", () => {
  const file = archive({ "spec.dump": '{"hostname":' });
  const document = openDocument(file);
  assert.throws(() => planEdits(document, [{ kind: "hostname", text: "x" }]), /spec\.dump.*not JSON/);
  document.close();
});

test.run();
