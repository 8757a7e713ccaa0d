import type { TerminalStep } from "../plan/terminals.js";
import type { Builders } from "./builders.js";

export const TERMINALS: Builders<TerminalStep> = {
  "controlling terminal": () => {},
};
