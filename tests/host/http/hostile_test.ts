import { deepEqual, equal, match, ok } from "node:assert/strict";
import { ClibsError } from "../../../lib/errors.ts";
import { FeedbackBus } from "../../../lib/feedback/bus.ts";
import { sha256Hex } from "../../../lib/host/digest.ts";
import {
  download,
  type DownloadRequest,
} from "../../../lib/host/http/download.ts";
import { connectError } from "../../../lib/host/http/errors.ts";
import { serve, serveRaw } from "../../support/http_server.ts";
import { TempDir } from "../../support/temp.ts";
import { has } from "../../support/tools.ts";

const body = new Uint8Array(300_000).map((_, i) => (i * 7 + (i >> 8)) & 255);
const other = body.map((byte) => byte ^ 1);
const digest = sha256Hex(body);

function request(
  cache: TempDir,
  url: string,
  more: Partial<DownloadRequest> = {},
): DownloadRequest {
  return {
    urls: [url],
    filename: "a.tgz",
    cache: cache.path,
    what: "zlib",
    pauseMs: 1,
    ...more,
  };
}

async function failure(promise: Promise<unknown>): Promise<ClibsError> {
  const error = await promise.then(() => undefined, (e) => e);
  ok(error instanceof ClibsError, `not a ClibsError: ${error}`);
  return error;
}

async function write(
  connection: Deno.TcpConn,
  ...parts: (string | Uint8Array)[]
): Promise<void> {
  for (const part of parts) {
    const bytes = typeof part === "string"
      ? new TextEncoder().encode(part)
      : part;
    for (let at = 0; at < bytes.length;) {
      at += await connection.write(bytes.subarray(at));
    }
  }
}

/**
 * Cuts the first answer, `body` under the tag "1", after 1000 bytes, then gives
 * ranges of `other` to whoever asks for them, whatever `If-Range` says.
 */
function changingServer(etag: string, total = other.length) {
  const server = serveRaw(async (connection, count) => {
    const start = /bytes=(\d+)-/.exec(
      server.requests[count]?.headers.range ?? "",
    )?.[1];
    if (count === 0) {
      const head = `ETag: "1"\r\nContent-Length: ${body.length}`;
      await write(connection, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
      await write(connection, body.subarray(0, 1000));
    } else if (start === undefined) {
      const head = `ETag: ${etag}\r\nContent-Length: ${total}`;
      await write(connection, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
      await write(connection, other.subarray(0, total));
    } else {
      const range = `bytes ${start}-${total - 1}/${total}`;
      const head = `ETag: ${etag}\r\nContent-Range: ${range}\r\n` +
        `Content-Length: ${total - Number(start)}`;
      await write(
        connection,
        `HTTP/1.1 206 Partial Content\r\n${head}\r\n\r\n`,
      );
      await write(connection, other.subarray(Number(start), total));
    }
  });
  return server;
}

Deno.test("download() never joins two versions of a file", async (t) => {
  await t.step("when the range has another entity tag", async () => {
    using cache = new TempDir();
    await using server = changingServer('"2"');
    const result = await download(request(cache, server.url));
    equal(result.sha256, sha256Hex(other));
  });
  await t.step("when the range has another total length", async () => {
    using cache = new TempDir();
    await using server = changingServer('"1"', 200_000);
    const result = await download(request(cache, server.url));
    equal(result.sha256, sha256Hex(other.subarray(0, 200_000)));
  });
  await t.step("when only the digest tells", async () => {
    using cache = new TempDir();
    await using server = changingServer('"1"');
    const sha256 = sha256Hex(other);
    const result = await download(request(cache, server.url, { sha256 }));
    equal(result.sha256, sha256);
    deepEqual(server.requests.map((r) => r.headers.range), [
      undefined,
      "bytes=1000-",
      undefined,
    ]);
  });
});

Deno.test("download() starts over when the server refuses the range", async () => {
  using cache = new TempDir();
  await using server = serveRaw(async (connection, count) => {
    const head = `ETag: "1"\r\nContent-Length: ${body.length}`;
    if (count === 1) {
      await write(connection, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    await write(connection, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
    await write(connection, count === 0 ? body.subarray(0, 1000) : body);
  });
  const result = await download(request(cache, server.url));
  equal(result.sha256, digest);
  deepEqual(server.requests.map((r) => r.headers.range), [
    undefined,
    "bytes=1000-",
    undefined,
  ]);
});

Deno.test("download() does not go on by a weak entity tag", async () => {
  using cache = new TempDir();
  await using server = serveRaw(async (connection, count) => {
    const head = `ETag: W/"1"\r\nContent-Length: ${body.length}`;
    await write(connection, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
    await write(connection, count === 0 ? body.subarray(0, 1000) : body);
  });
  const result = await download(request(cache, server.url));
  equal(result.sha256, digest);
  equal(server.requests[1]?.headers.range, undefined);
});

Deno.test("download() gives up on a server that drips", async () => {
  using cache = new TempDir();
  await using server = serveRaw(async (connection) => {
    const head = "Content-Length: 100000";
    await write(connection, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
    const closed = connection.read(new Uint8Array(1)).catch(() => null);
    // One byte whenever the client would otherwise soon lose patience.
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const tick = new Promise<"tick">((resolve) => {
        timer = setTimeout(() => resolve("tick"), 20);
      });
      const first = await Promise.race([closed, tick]);
      clearTimeout(timer);
      if (first !== "tick") return;
      await write(connection, "x");
    }
  });
  const error = await failure(
    download(request(cache, server.url, { stallMs: 200, retries: 1 })),
  );
  equal(error.code, "CLIBS_HTTP_STALL");
  match(
    error.message,
    /^Cannot fetch zlib: the server sent only \d+ bytes? in 0\.2 s$/,
  );
  equal(server.requests.length, 2);
});

Deno.test("download() reports bytes that only grow", async () => {
  using cache = new TempDir();
  await using server = serveRaw(async (connection, count) => {
    const head = `Content-Length: ${body.length}`;
    await write(connection, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
    await write(connection, count === 0 ? body.subarray(0, 250_000) : body);
  });
  const seen: number[] = [];
  const feedback = new FeedbackBus();
  feedback.subscribe((e) => {
    if (e.code === "task.progress") seen.push(e.fields.bytes ?? -1);
  });
  await download(request(cache, server.url, { feedback }));
  deepEqual(seen, seen.toSorted((a, b) => a - b));
  equal(seen.at(-1), body.length);
});

const badUrls: [url: string, why: string, shown?: string][] = [
  ["data:text/plain,abc", "data: URLs are not fetched"],
  ["ftp://example.org/a.tgz", "ftp: URLs are not fetched"],
  ["javascript:alert(1)", "javascript: URLs are not fetched"],
  ["https://me:secret@[bad/a", "this is not a URL", "https://[bad/a"],
  ["file://server/a.tgz", "a file: URL cannot name another host"],
];

Deno.test("download() refuses URLs that it cannot fetch", async (t) => {
  for (const [url, why, shown] of badUrls) {
    await t.step(url, async () => {
      using cache = new TempDir();
      const error = await failure(download(request(cache, url)));
      deepEqual(error.toJSON(), {
        code: "CLIBS_URL",
        message: `Cannot fetch zlib: ${why}`,
        facts: { url: shown ?? url },
        hint: "use an https:, http: or file: URL, or a path",
      });
    });
  }
});

Deno.test("download() takes a local link that leads nowhere for absent", async () => {
  using cache = new TempDir();
  Deno.symlinkSync("/nowhere/at/all", cache.join("a.tgz"));
  const error = await failure(
    download(request(cache, cache.join("a.tgz"))),
  );
  equal(error.code, "CLIBS_FETCH_LOCAL");
});

Deno.test("download() sends credentials whose escapes are malformed as they are", async () => {
  using cache = new TempDir();
  await using server = serve(() => new Response(body));
  const url = server.url.replace("://", "://me:50%@");
  await download(request(cache, `${url}/a`));
  equal(server.requests[0]?.headers.authorization, `Basic ${btoa("me:50%")}`);
});

/** What fetch throws when the resolver says `why`. */
function lookupFailure(why: string): Error {
  const text = "error sending request for url " +
    "(http://files.example/a?token=abc): client error (Connect): " +
    `dns error: failed to lookup address information: ${why}`;
  return new TypeError("fetch failed", { cause: new Error(text) });
}

Deno.test("connectError() tells a name that does not exist from a resolver out of reach", () => {
  const url = "http://files.example/a?token=abc";
  const final = connectError(
    "zlib",
    url,
    lookupFailure("Name or service not known"),
  );
  deepEqual(final.toJSON(), {
    code: "CLIBS_HTTP_CONNECT",
    message: "Cannot fetch zlib: the server's name cannot be resolved",
    facts: {
      url: "http://files.example/a?token=***",
      reason: "Name or service not known",
    },
    hint:
      "check the network and HTTPS_PROXY, or add `mirrors:`; --offline uses caches only",
  });
  equal(final.retry, false);
  ok(!Deno.inspect(final).includes("abc"), "the token is in a cause");
  const passing = connectError(
    "zlib",
    url,
    lookupFailure("Temporary failure in name resolution"),
  );
  equal(passing.message, "Cannot fetch zlib: the connection failed");
  equal(passing.retry, true);
});

Deno.test({
  name: "download() refuses a certificate that nobody vouches for, at once",
  ignore: !has("openssl"),
  fn: async () => {
    using cache = new TempDir();
    const made = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"],
        ...["-pkeyopt", "ec_paramgen_curve:prime256v1"],
        ...["-subj", "/CN=localhost"],
        ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        ...["-keyout", cache.join("key.pem"), "-out", cache.join("cert.pem")],
      ],
    }).output();
    ok(made.success, new TextDecoder().decode(made.stderr));
    let requests = 0;
    const server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      key: cache.read("key.pem"),
      cert: cache.read("cert.pem"),
      onListen() {},
    }, () => {
      requests++;
      return new Response("secret");
    });
    try {
      const url = `https://127.0.0.1:${server.addr.port}/a`;
      const error = await failure(download(request(cache, url)));
      deepEqual(error.toJSON(), {
        code: "CLIBS_HTTP_CONNECT",
        message: "Cannot fetch zlib: the server's certificate is not trusted",
        facts: { url, reason: error.facts.reason },
        hint:
          "if your network has a certificate authority of its own, name its PEM file in DENO_CERT",
      });
      match(error.facts.reason ?? "", /certificate/);
      equal(requests, 0);
    } finally {
      await server.shutdown();
    }
  },
});

const downloadModule = import.meta.resolve(
  "../../../lib/host/http/download.ts",
);
const messageProgram = `
  import { download } from "${downloadModule}";
  const [cache, url] = Deno.args;
  await download({ urls: [url], filename: "a", cache, what: "zlib" })
    .catch((e) => console.log(e.message));`;

Deno.test("download() is not led to this machine by a server elsewhere", async (t) => {
  const targets = [
    "http://localhost/a",
    "http://127.1.2.3/a",
    "http://0x7f.1/a",
    "http://[::1]/a",
    "http://[::ffff:127.0.0.1]/a",
    "http://169.254.169.254/latest/meta-data",
    "http://[fe80::1]/a",
    "http://0.0.0.0/a",
  ];
  let location = "";
  // A proxy stands in for the server elsewhere.
  await using proxy = serveRaw(async (connection) => {
    const head = `Location: ${location}\r\nContent-Length: 0`;
    await write(connection, `HTTP/1.1 302 Found\r\n${head}\r\n\r\n`);
  });
  for (const target of targets) {
    await t.step(target, async () => {
      using cache = new TempDir();
      location = target;
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "eval",
          messageProgram,
          cache.path,
          "http://upstream.example/a",
        ],
        env: { HTTP_PROXY: proxy.url, NO_PROXY: "" },
      }).output();
      equal(
        new TextDecoder().decode(stdout),
        "Cannot fetch zlib: a redirection leads to this machine or its network link\n",
        new TextDecoder().decode(stderr),
      );
    });
  }
});

Deno.test("download() goes on after kill -9", async () => {
  using cache = new TempDir();
  await using server = serveRaw(async (connection, count) => {
    const start = Number(
      /bytes=(\d+)-/.exec(server.requests[count]?.headers.range ?? "")?.[1] ??
        0,
    );
    const head = `ETag: "1"\r\nContent-Length: ${body.length - start}`;
    if (count === 0) {
      await write(connection, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
      await write(connection, body.subarray(0, 100_000));
      await connection.read(new Uint8Array(1)).catch(() => {});
      return;
    }
    const range = `bytes ${start}-${body.length - 1}/${body.length}`;
    await write(
      connection,
      `HTTP/1.1 206 Partial\r\nContent-Range: ${range}\r\n${head}\r\n\r\n`,
      body.subarray(start),
    );
  });
  const url = `${server.url}/a`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", progressProgram, cache.path, url],
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.getReader();
  let text = "";
  while (!text.includes("100000\n")) {
    const { value } = await lines.read();
    ok(value, `the child ended: ${text}`);
    text += new TextDecoder().decode(value);
  }
  child.kill("SIGKILL");
  await child.status;
  await lines.cancel();
  const result = await download(request(cache, url));
  equal(result.sha256, digest);
  equal(server.requests[1]?.headers.range, "bytes=100000-");
});

const progressProgram = `
  import { download } from "${downloadModule}";
  const [cache, url] = Deno.args;
  const feedback = { emit: (_, code, __, fields) =>
    code === "task.progress" && console.log(fields.bytes) };
  await download({ urls: [url], filename: "a", cache, what: "zlib", feedback });`;

Deno.test({
  name: "download() passes a full disk on as the system's error",
  // The device that is always full.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using cache = new TempDir();
    await using server = serve(() => new Response(body));
    const url = `${server.url}/a`;
    const dir = `partial-v1/${sha256Hex(url).slice(0, 32)}`;
    Deno.mkdirSync(cache.join(dir), { recursive: true });
    Deno.symlinkSync("/dev/full", cache.join(dir, "body"));
    const error = await download(request(cache, url)).then(
      () => undefined,
      (e) => e,
    );
    equal(error?.code, "ENOSPC");
    equal(server.requests.length, 1);
  },
});
