/** The package's own types do not resolve for ES modules: its exports map names none. */
declare module "binary-parser" {
  export { Parser } from "binary-parser/dist/binary_parser.js";
}
