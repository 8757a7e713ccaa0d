import type { ConnectionStep } from "../plan/connections.js";
import type { Builders } from "./builders.js";

export const CONNECTIONS: Builders<ConnectionStep> = {
  "settle sockets": ({ files }) => files.sockets.settle(),
};
