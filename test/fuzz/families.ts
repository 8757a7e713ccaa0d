import { ARCHIVES } from "./archives/family.js";
import { CRIU } from "./criu/family.js";
import type { Family } from "./family.js";
import { LINUX_CR } from "./linux-cr/family.js";
import { JSON_TEXTS } from "./texts/json-family.js";
import { LOGS } from "./texts/log-family.js";
import { RECIPES } from "./texts/recipe-family.js";

/** Every sort of input that crimg reads. */
export const FAMILIES: readonly Family[] = [CRIU, LINUX_CR, ARCHIVES, JSON_TEXTS, RECIPES, LOGS];
