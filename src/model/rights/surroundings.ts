import type { Checkpoint } from "../checkpoint.js";
import type { Bearer } from "./bearer.js";
import type { Right } from "./right.js";
import { ownUid } from "./tasks.js";

/** What is made around the tasks: namespaces, id maps, policies, control groups, System V objects. */
export function* surroundingRights(checkpoint: Checkpoint, owner: Bearer): Generator<Right> {
  const { namespaces, userNamespace, loadsPolicies, joinsControlGroups } = checkpoint.surroundings;
  if (userNamespace === undefined) {
    for (const kind of namespaces)
      yield { name: "namespace", asked: `a ${kind} namespace`, had: "none without a user namespace" };
  } else {
    for (const { outside, count } of userNamespace.uids)
      if (count !== 1 || outside !== owner.uid)
        yield { name: "uid", asked: `a map to the uids ${span(outside, count)}`, had: ownUid(owner) };
    for (const { outside, count } of userNamespace.gids)
      if (count !== 1 || !owner.gids.has(outside))
        yield { name: "gid", asked: `a map to the gids ${span(outside, count)}`, had: "groups of the owner" };
  }
  if (loadsPolicies) yield { name: "lsm", asked: "policies of a security module", had: "none" };
  if (joinsControlGroups) yield* controlGroups(checkpoint, owner);
  for (const { segments, queues, semaphores } of checkpoint.ipcNamespaces)
    for (const [word, objects] of [
      ["segment", segments],
      ["queue", queues],
      ["semaphores", semaphores],
    ] as const)
      for (const { id, uid } of objects)
        if (uid !== owner.uid && !namespaces.includes("user"))
          yield { name: "ipc", asked: `System V ${word} ${id} of uid ${uid}`, had: ownUid(owner), id: uid };
}

/** Groups outside of those that systemd gives to the owner. */
function* controlGroups({ tasks, surroundings }: Checkpoint, { uid }: Bearer): Generator<Right> {
  const paths = new Set<string>();
  const add = (path: string): void => {
    const isOwn = path.startsWith(`/user.slice/user-${uid}.slice/`) && !path.split("/").includes("..");
    if (!isOwn && !/^\/*$/.test(path)) paths.add(path);
  };
  for (const { threads } of tasks)
    for (const { controlGroups: groups = [] } of threads)
      for (const group of groups) add(group.slice(group.indexOf(":") + 1));
  for (const path of surroundings.madeControlGroups) add(path);
  for (const path of paths)
    yield { name: "cgroup", asked: `the control group ${path}`, had: "that of crimg" };
}

function span(first: number, count: number): string {
  return count === 1 ? String(first) : `${first} to ${first + count - 1}`;
}
