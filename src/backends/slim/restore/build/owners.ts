import type { OwnerStep } from "../plan/owners.js";
import type { Builders } from "./builders.js";

export const OWNERS: Builders<OwnerStep> = {
  owner: () => {},
};
