"use strict";

// A worker thread that runs command lines of crimg one after another, for commands that take several images.

const { parentPort } = require("node:worker_threads");

require("./load.js").load("main.js").serve(parentPort);
