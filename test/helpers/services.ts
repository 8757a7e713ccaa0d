import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer, type NetConnectOpts } from "node:net";
import { join } from "node:path";
import { type Live, start, until } from "./live.js";

/** A started server of Debian's, with a question that shows that it goes on from where it was. */
export interface Service extends Live {
  /** TCP port on 127.0.0.1. Each also listens on a Unix socket in its directory. */
  port: number;
  options: { dump: string[]; restore: string[] };
}

const noneNeeded = { dump: [], restore: [] };

/** redis-server with its append-only file, log and `redis.sock` in `dir`. */
export async function startRedis(dir: string): Promise<Service> {
  const port = await freePort();
  writeFileSync(
    join(dir, "redis.conf"),
    `${[
      `dir ${dir}`,
      `port ${port}`,
      "bind 127.0.0.1",
      "unixsocket redis.sock",
      "logfile redis.log",
      "appendonly yes",
      "appendfsync always",
      "daemonize no",
    ].join("\n")}\n`,
  );
  const argv = ["/usr/bin/redis-server", join(dir, "redis.conf")];
  const live = await start(argv, { cwd: dir, output: join(dir, "output") });
  const service = Object.assign(live, { port, options: noneNeeded });
  await answers("redis-server", () => redis({ port }, "PING"));
  return service;
}

/** Sends one command to a redis-server and gives its answer as it is on the wire: `+PONG`, `:1`, `-ERR ...`. */
export async function redis(to: { port: number } | { path: string }, command: string): Promise<string> {
  return (await exchange(to, `${command}\r\n`, (answer) => answer.endsWith("\r\n"))).trimEnd();
}

/**
 * nginx, a master and one worker, that serves `dir`/html/hello.txt and, out of its memory, /status. Its logs and
 * `nginx.sock` are in `dir`. It keeps the path of html in memory, so after a move only /status is found.
 */
export async function startNginx(dir: string): Promise<Service> {
  const port = await freePort();
  mkdirSync(join(dir, "html"));
  writeFileSync(join(dir, "html/hello.txt"), "hello from nginx\n");
  writeFileSync(
    join(dir, "nginx.conf"),
    `user root;
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log notice;
events { worker_connections 64; }
http {
  access_log access.log;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path temp;`).join(" ")}
  server {
    listen 127.0.0.1:${port};
    listen unix:${join(dir, "nginx.sock")};
    root html;
    location = /status { return 200 "serving\\n"; }
  }
}
`,
  );
  const argv = ["/usr/sbin/nginx", "-p", dir, "-c", join(dir, "nginx.conf")];
  const live = await start(argv, { cwd: dir, output: join(dir, "output") });
  const service = Object.assign(live, { port, options: noneNeeded });
  await answers("nginx", () => httpGet({ port }, "/hello.txt"));
  return service;
}

/** The answer to a GET, with its head; the connection is closed. */
export function httpGet(to: { port: number } | { path: string }, path: string): Promise<string> {
  return exchange(to, `GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`, () => false);
}

/** Sends `request` and collects the answer until `complete` or the other side closes; five seconds at most. */
export function exchange(
  to: { port: number } | { path: string },
  request: string,
  complete: (answer: string) => boolean,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options: NetConnectOpts = "port" in to ? { host: "127.0.0.1", ...to } : to;
    const socket = connect(options, () => {
      // Who speaks first may have gone by now, and even an empty write to it fails.
      if (request !== "") socket.write(request);
    });
    let answer = "";
    socket.setEncoding("utf8");
    socket.setTimeout(5000, () => socket.destroy(new Error(`no answer within 5 s, only "${answer}"`)));
    socket.on("data", (text: string) => {
      answer += text;
      if (complete(answer)) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

async function answers(name: string, ask: () => Promise<unknown>): Promise<void> {
  let answered = false;
  let asking = false;
  await until(`${name} to answer`, () => {
    if (!asking && !answered) {
      asking = true;
      ask().then(
        () => {
          answered = true;
        },
        () => {
          asking = false;
        },
      );
    }
    return answered;
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
