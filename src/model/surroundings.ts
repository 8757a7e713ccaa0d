/** Namespaces and policies that a restore makes for the tasks, namespaces(7). */
export interface Surroundings {
  /** Kinds of namespaces that are made: `pid`, `net`, `mnt` … */
  readonly namespaces: readonly string[];
  /** Ids of the user namespace that is made; undefined without one. */
  readonly userNamespace:
    | { readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] }
    | undefined;
  /** The security module that wrote the labels of tasks, `apparmor`, `selinux`; undefined for none. */
  readonly securityModule: string | undefined;
  /** Whether policies of a security module are loaded into the kernel. */
  readonly loadsPolicies: boolean;
  /** Whether tasks are moved into the control groups that they were in. */
  readonly joinsControlGroups: boolean;
  /** Control groups that are made or set, and control files whose name is a path. */
  readonly madeControlGroups: readonly string[];
}

/** A line of uid_map or gid_map, user_namespaces(7). */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}
