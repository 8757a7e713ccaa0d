import type { SeccompStep } from "../plan/seccomp.js";
import type { Builders } from "./builders.js";

export const SECCOMP: Builders<SeccompStep> = {
  seccomp: () => {},
};
