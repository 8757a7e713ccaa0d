export * from "./io/errors.js";
