import type { AttributeStep } from "../plan/attributes.js";
import type { Builders } from "./builders.js";

export const ATTRIBUTES: Builders<AttributeStep> = {
  attributes: () => {},
};
