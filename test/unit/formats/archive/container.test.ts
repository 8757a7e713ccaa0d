/** What the files of each engine tell of a container and its pod. */
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { containerFacts } from "../../../../src/formats/archive/container.js";
import type { CriuDocument } from "../../../../src/model/document.js";
import { openDocument } from "../../../../src/open.js";
import { containerView } from "../../../../src/ops/show/container.js";
import { podView } from "../../../../src/ops/show/pod.js";
import { rootfsView } from "../../../../src/ops/show/rootfs.js";
import { volumesView } from "../../../../src/ops/show/volumes.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import {
  containerdLayout,
  containerTar,
  ociLayout,
  setEntries,
  tarOf,
  write,
} from "../../../helpers/packages.js";
import { suite } from "../../../helpers/suite.js";
import { tar } from "../../../helpers/tar.js";

const test = suite("src/formats/archive/container");
test.after(cleanUp);

function file(content: Buffer): string {
  const image = path.join(freshDirectory("container"), "archive");
  fs.writeFileSync(image, content);
  return image;
}

function opened(image: string): CriuDocument {
  const document = openDocument(image);
  if (document.family !== "criu") throw new Error("a stream");
  return document;
}

function factsOf(image: string) {
  const { packaged } = opened(image);
  if (packaged === undefined) throw new Error("no package");
  return containerFacts(packaged.set);
}

test("CRI-O: names and address in annotations of the specification", () => {
  const annotations = {
    "io.container.manager": "cri-o",
    "io.kubernetes.cri-o.Metadata": '{"name":"web","attempt":1}',
    "io.kubernetes.cri-o.IP.0": "10.0.0.7",
    "io.kubernetes.cri-o.Created": "2026-01-02T03:04:05.678Z",
    "io.kubernetes.pod.name": "shop",
    "io.kubernetes.pod.namespace": "default",
    "io.kubernetes.pod.uid": "u-1",
  };
  const config = {
    id: "c1",
    rootfsImageName: "web:1",
    runtime: "runc",
    checkpointedTime: "2026-01-02T04:00:00Z",
    restoredTime: "0001-01-01T00:00:00Z",
  };
  const facts = factsOf(
    file(
      containerTar("logger", {
        "config.dump": JSON.stringify(config),
        "spec.dump": JSON.stringify({ annotations, hostname: "h" }),
      }),
    ),
  );
  assert.equal(
    [facts.name, facts.id, facts.engine, facts.image.name],
    ["web", "c1", { name: "CRI-O", version: undefined }, "web:1"],
  );
  assert.equal(facts.addresses, ["10.0.0.7"]);
  assert.equal(facts.pod, { name: "shop", namespace: "default", id: undefined, uid: "u-1" });
  assert.equal(
    [facts.created, facts.checkpointed, facts.restored],
    ["2026-01-02T03:04:05.678Z", "2026-01-02T04:00:00Z", undefined],
  );
});

test("containerd: status and annotations", () => {
  const annotations = {
    "io.kubernetes.cri.container-name": "web",
    "io.kubernetes.cri.sandbox-name": "shop",
    "io.kubernetes.cri.sandbox-namespace": "ns",
  };
  const facts = factsOf(
    file(
      containerTar("logger", {
        "spec.dump": JSON.stringify({ annotations }),
        "status.dump": '{"id":"c2","createdAt":"2026-01-02T03:04:05Z"}',
      }),
    ),
  );
  assert.equal([facts.name, facts.id, facts.engine?.name], ["web", "c2", "containerd"]);
  assert.equal(
    [facts.pod?.name, facts.pod?.namespace, facts.created],
    ["shop", "ns", "2026-01-02T03:04:05Z"],
  );
});

test("Podman: network, ports, volumes, versions of an image", () => {
  const config = {
    name: "web",
    newPortMappings: [{ host_ip: "", container_port: 80, host_port: 8080, range: 1, protocol: "tcp" }],
    namedVolumes: [{ volumeName: "data", dest: "/data" }],
  };
  const network = {
    podman: {
      interfaces: { eth0: { subnets: [{ ipnet: "10.88.0.9/16", gateway: "10.88.0.1" }], mac_address: "aa" } },
    },
  };
  const layer = containerTar("logger", {
    "config.dump": JSON.stringify(config),
    "spec.dump": '{"annotations":{"io.container.manager":"libpod"}}',
    "network.status": JSON.stringify(network),
  });
  const prefix = "io.podman.annotations.checkpoint";
  const image = write(
    freshDirectory("layout"),
    ociLayout(gzipSync(layer), {
      [`${prefix}.podman.version`]: "5.1.0",
      [`${prefix}.runtime.name`]: "runc",
      [`${prefix}.runtime.version`]: "runc version 1.1.5+ds1\ncommit: x",
      [`${prefix}.criu.version`]: "40201",
      [`${prefix}.host.kernel`]: "6.18",
    }),
  );
  const facts = factsOf(image);
  assert.equal(facts.addresses, ["10.88.0.9/16"]);
  assert.equal(facts.ports, [
    { host: 8080, hostAddress: undefined, container: 80, protocol: "tcp", count: 1 },
  ]);
  assert.equal([...facts.volumes], [["data", "/data"]]);
  assert.equal(facts.engine, { name: "Podman", version: "5.1.0" });
  assert.equal(facts.runtime, { name: "runc", version: "1.1.5+ds1" });
  assert.equal([facts.criuVersion, facts.host.kernel], ["40201", "6.18"]);
});

test("a containerd index: specification, and whiteouts of its layer", () => {
  const layer = tar([
    { name: "etc/", type: "5" },
    { name: "etc/new", content: "12" },
    { name: "etc/.wh.motd" },
    { name: "srv/.wh..wh..opq" },
    { name: "link", type: "2", link: "etc/new" },
  ]);
  const spec = JSON.stringify({ hostname: "web", process: { args: ["/bin/web"], cwd: "/" } });
  const document = opened(file(tarOf(containerdLayout(tar(setEntries("logger")), spec, gzipSync(layer)))));
  const { container } = containerView(document);
  assert.equal(
    [container?.engine?.name, container?.hostname, container?.command],
    ["containerd", "web", ["/bin/web"]],
  );
  assert.is(container?.runtime?.name, "io.containerd.runc.v2");
  assert.equal(
    rootfsView(document).changes.map(({ change, path, size, target }) => [change, path, size, target]),
    [
      ["changed", "/etc", 0, undefined],
      ["changed", "/etc/new", 2, undefined],
      ["deleted", "/etc/motd", undefined, undefined],
      ["replaced", "/srv/", undefined, undefined],
      ["changed", "/link", 0, "etc/new"],
    ],
  );
});

test("volumes in the archive and on the host", () => {
  const spec = {
    mounts: [
      { destination: "/cfg", type: "bind", source: "/etc/web", options: ["rbind", "ro"] },
      { destination: "/proc", type: "proc", source: "proc" },
    ],
  };
  const archive = Buffer.concat([
    containerTar("logger", {
      "spec.dump": JSON.stringify(spec),
      "config.dump": '{"namedVolumes":[{"volumeName":"v","dest":"/v"}]}',
    }).subarray(0, -1024),
    tar([
      {
        name: "volumes/v.tar",
        content: tar([
          { name: "a", content: "123" },
          { name: "b", content: "4" },
        ]),
      },
    ]),
  ]);
  assert.equal(volumesView(opened(file(archive))).volumes, [
    { kept: "archive", name: "v", destination: "/v", files: 2, bytes: 4 },
    { kept: "host", destination: "/cfg", source: "/etc/web" },
  ]);
});

test("a pod: its names, and its containers with the digests of the manifest", () => {
  const image = write(freshDirectory("pod"), {
    "pod-config.json": JSON.stringify({
      metadata: { name: "shop", namespace: "default", uid: "u" },
      hostname: "shop",
      labels: { app: "x" },
    }),
    "checkpoint-manifest.json": JSON.stringify({
      version: 1,
      runtime: "cri-o",
      sandboxId: "s1",
      containers: ["logger", "locks"].map((name) => ({
        name,
        id: `id-${name}`,
        archive: `${name}.tar`,
        sha256: "00",
      })),
    }),
    "logger.tar": containerTar("logger", { "config.dump": '{"rootfsImageName":"web:1"}' }),
    "locks.tar": containerTar("locks"),
  });
  const { pod } = podView(opened(`${image}//locks`));
  assert.equal(
    [pod?.name, pod?.namespace, pod?.id, pod?.runtime, pod?.hostname],
    ["shop", "default", "s1", "cri-o", "shop"],
  );
  assert.equal(pod?.containers, [
    { path: "logger", name: "logger", id: "id-logger", image: "web:1", sha256: "00" },
    { path: "locks", name: "locks", id: "id-locks", image: undefined, sha256: "00" },
  ]);
});

test("files that are not what they should be are told, and lists of anything are taken for empty", () => {
  assert.throws(
    () => factsOf(file(containerTar("logger", { "config.dump": "{" }))),
    /config\.dump: not JSON/,
  );
  const odd = file(
    containerTar("logger", {
      "config.dump": '{"name":7,"newPortMappings":{},"namedVolumes":[null,1,{}]}',
      "spec.dump": '{"annotations":[1],"mounts":[null],"process":{"args":"x"}}',
      "network.status": "null",
    }),
  );
  const facts = factsOf(odd);
  assert.equal([facts.name, facts.ports, facts.command, facts.addresses], [undefined, [], [], []]);
  assert.ok(containerView(opened(odd)).container);
});

test.run();
