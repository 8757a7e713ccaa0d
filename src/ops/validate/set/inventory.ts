import { IMAGES } from "../../../formats/criu/images.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";

/** Versions of the image format that criu has released. */
const RELEASED_VERSIONS: readonly number[] = [1, 2];
/** Compressed pages, in criu's development branch. */
const COMPRESSED_VERSION = 3;
const INVENTORY = IMAGES.INVENTORY.file;

/** Rules about inventory.img. */
export const inventoryRules: readonly Rule<SetContext>[] = [
  {
    id: "INVENTORY_MISSING",
    level: "error",
    about: "Every image set has inventory.img.",
    fix: "Copy inventory.img from where the set was made.",
    *check({ set }) {
      if (!set.files.some(({ kind }) => kind === IMAGES.INVENTORY))
        yield { at: { image: INVENTORY }, what: "the file is missing" };
    },
  },
  {
    id: "IMAGE_VERSION",
    level: "error",
    about: "The version of the set is one that criu knows.",
    fix: "Restore with the criu that made the set.",
    *check({ set }) {
      const version = set.first(IMAGES.INVENTORY)?.img_version;
      if (version === undefined || RELEASED_VERSIONS.includes(version)) return;
      const isNewer = version === COMPRESSED_VERSION;
      yield {
        at: { image: INVENTORY, record: 0, field: "img_version" },
        what: isNewer
          ? "only a criu with compressed pages restores this set"
          : "no criu restores this version",
        expected: RELEASED_VERSIONS.join(" or "),
        found: String(version),
        level: isNewer ? "warning" : "error",
      };
    },
  },
  {
    id: "INVENTORY_OLD",
    level: "error",
    about: "Descriptors are stored by table and not by task, as criu has done since 0.4.",
    fix: "Restore with the criu that made the set, and checkpoint again.",
    *check({ set }) {
      const inventory = set.first(IMAGES.INVENTORY);
      if (inventory !== undefined && inventory.fdinfo_per_id !== true)
        yield {
          at: { image: INVENTORY, record: 0, field: "fdinfo_per_id" },
          what: "criu refuses the set as too old",
          expected: "true",
          found: inventory.fdinfo_per_id === undefined ? "absent" : "false",
        };
    },
  },
  {
    id: "INVENTORY_CGROUP",
    level: "error",
    about: "The number of criu's own control groups is not 0.",
    fix: "Copy inventory.img again from where the set was made.",
    *check({ set }) {
      if (set.first(IMAGES.INVENTORY)?.root_cg_set === 0)
        yield {
          at: { image: INVENTORY, record: 0, field: "root_cg_set" },
          what: "criu refuses this number",
          expected: "1 or more",
          found: "0",
        };
    },
  },
  {
    id: "INVENTORY_NET_LOCK",
    level: "error",
    about: "The way in which connections were stopped is one that criu knows.",
    fix: "Restore with the criu that made the set.",
    *check({ set }) {
      const method = set.first(IMAGES.INVENTORY)?.network_lock_method;
      if (method !== undefined && method > 2)
        yield {
          at: { image: INVENTORY, record: 0, field: "network_lock_method" },
          what: "no such way",
          expected: "0 (iptables), 1 (nftables) or 2 (skip)",
          found: String(method),
        };
    },
  },
];
