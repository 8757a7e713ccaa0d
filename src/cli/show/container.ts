import { type ContainerSummary, shellCommand, type ViewData } from "../../index.js";
import { type Line, styled } from "../line.js";
import { plural, sizeText } from "../units.js";
import { type Look, wrapped } from "./words.js";

type ShownContainer = NonNullable<ViewData<"container">["container"]>;

const NAME_WIDTH = 12;
/** Digits of an id that engines show. */
const SHORT_ID = 12;

/** `crimg show IMG container` */
export function* containerLines({ container, note }: ViewData<"container">, look: Look): Generator<Line> {
  if (container === undefined) {
    yield `no container: ${note}`;
    return;
  }
  for (const [name, text] of facts(container))
    if (text !== undefined && text !== "")
      yield* wrapped(look.style("heading", name.padEnd(NAME_WIDTH)), text, NAME_WIDTH, look);
  if (container.annotations.size === 0) return;
  yield look.style("heading", "ANNOTATIONS");
  for (const [key, text] of container.annotations) yield styled`  ${key}=${text}`;
}

function facts(container: ShownContainer): [name: string, text: string | undefined][] {
  const { title, path, name, id, image, engine, pod, created, checkpointed, restored, command, cwd, user } =
    container;
  return [
    ["FORM", path === undefined ? title : `${title}, set ${path}`],
    ["NAME", name],
    ["ID", id],
    ["IMAGE", [image?.name, image?.id].filter(Boolean).join(" ")],
    ["ENGINE", engineText(container)],
    ["HOST", [container.host?.arch, container.host?.kernel].filter(Boolean).join(", ")],
    ["POD", podText(pod)],
    ["CREATED", created],
    ["CHECKPOINT", checkpointed],
    ["RESTORED", restored],
    ["HOSTNAME", container.hostname],
    ["ADDRESS", container.addresses.join(", ")],
    ["PORTS", portsText(container.ports)],
    ["COMMAND", command.length === 0 ? undefined : shellCommand(command)],
    ["CWD", cwd],
    ["USER", user],
    ["STDIO", container.stdio.join(", ")],
    ["CGROUP", container.cgroup],
    [
      "CRIU CONFIG",
      container.criuConfig &&
        `${container.criuConfig}: its options overrule those of the caller (${engine?.name ?? "runc"})`,
    ],
    ["ROOT", rootText(container.rootChanges)],
    ["VOLUMES", volumesText(container.volumes)],
    ["MOUNTS", container.mounts.map(({ destination }) => destination).join(" ")],
  ];
}

/** The container on the summary: head and text of each line. */
export function containerSummaryFacts(
  container: ContainerSummary,
): [head: string, text: string | undefined][] {
  const { title, path, name, id, image, pod, created, checkpointed, addresses, rootChanges, volumes } =
    container;
  const named = [name, id?.slice(0, SHORT_ID)].filter((text) => text !== undefined && text !== "").join(" ");
  const from = image?.name ?? image?.id;
  const times = [
    created === undefined ? "" : `created ${secondsOf(created)}`,
    checkpointed === undefined ? "" : `checkpointed ${secondsOf(checkpointed)}`,
  ].filter(Boolean);
  const network = [addresses.join(", "), portsText(container.ports)].filter(Boolean).join("; ports ");
  return [
    [
      "CONTAINER",
      [named, from === undefined ? "" : `image ${from}`, path === undefined ? title : `${title}, set ${path}`]
        .filter(Boolean)
        .join("; "),
    ],
    ["ENGINE", engineText(container)],
    ["POD", podText(pod)],
    ["LIFE", times.length === 0 ? undefined : times.join("; ")],
    ["ADDRESS", network === "" ? undefined : network],
    ["ROOT", [rootText(rootChanges), volumesText(volumes)].filter(Boolean).join("; ") || undefined],
  ];
}

function engineText({ engine, runtime, criuVersion }: ContainerSummary): string | undefined {
  const parts = [
    engine === undefined ? "" : versioned(engine),
    runtime === undefined ? "" : `runtime ${versioned(runtime)}`,
    criuVersion === undefined ? "" : `criu ${criuVersion}`,
  ].filter(Boolean);
  return parts.length === 0 ? undefined : parts.join(", ");
}

function versioned({
  name,
  version,
}: {
  readonly name: string;
  readonly version?: string | undefined;
}): string {
  return version === undefined ? name : `${name} ${version}`;
}

function podText(pod: ContainerSummary["pod"]): string | undefined {
  if (pod === undefined) return undefined;
  const { name, namespace, id, uid } = pod;
  const facts = [
    name === undefined ? "" : namespace === undefined ? name : `${namespace}/${name}`,
    id === undefined ? "" : `id ${id}`,
    uid === undefined ? "" : `uid ${uid}`,
  ].filter(Boolean);
  return facts.join(", ");
}

function portsText(ports: ContainerSummary["ports"]): string {
  const texts = ports.map(({ host, hostAddress, container, protocol, count }) => {
    const range = (first: number): string => (count > 1 ? `${first}-${first + count - 1}` : `${first}`);
    return `${hostAddress === undefined ? "" : `${hostAddress}:`}${range(host)}->${range(container)}/${protocol}`;
  });
  return texts.join(", ");
}

function rootText({ bytes, changed, deleted }: ContainerSummary["rootChanges"]): string | undefined {
  if (changed === undefined || deleted === undefined) return `changed files in ${sizeText(bytes)}`;
  if (changed + deleted === 0) return "no changed files";
  return `${plural(changed, "changed file")} in ${sizeText(bytes)}, ${deleted} deleted`;
}

function volumesText(volumes: ContainerSummary["volumes"]): string | undefined {
  if (volumes.length === 0) return undefined;
  return volumes
    .map(
      ({ name, destination, bytes }) =>
        `volume ${name}${destination === undefined ? "" : ` on ${destination}`} (${sizeText(bytes)})`,
    )
    .join(", ");
}

/** A time of an engine without its fraction, in UTC where it says so. */
function secondsOf(time: string): string {
  return time
    .replace("T", " ")
    .replace(/(:\d\d)\.\d+/, "$1")
    .replace(/Z$/, " UTC");
}
