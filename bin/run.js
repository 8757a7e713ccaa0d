#!/usr/bin/env node
"use strict";

const [first, ...rest] = process.argv.slice(2);
if (/^(-V|-v|--version)$/.test(first) && rest.length === 0) {
  const { name, version } = require("../package.json");
  const line = `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`;
  require("node:fs").writeSync(1, line);
} else {
  require("./load.js").load("main.js").main(process.argv.slice(2));
}
