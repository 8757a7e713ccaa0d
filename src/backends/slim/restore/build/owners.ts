import { setOwner } from "../owners.js";
import type { OwnerStep } from "../plan/owners.js";
import type { Builders } from "./builders.js";

export const OWNERS: Builders<OwnerStep> = {
  owner: ({ files }, { objref, owner, isAsync }) => setOwner(files.get(objref), owner, isAsync),
};
