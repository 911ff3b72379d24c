import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { CancelledError, ClibsError } from "../../../lib/errors.ts";
import { FeedbackBus } from "../../../lib/feedback/bus.ts";
import { cachedPath } from "../../../lib/host/cache.ts";
import { sha256Hex } from "../../../lib/host/digest.ts";
import {
  download,
  type DownloadRequest,
} from "../../../lib/host/http/download.ts";
import {
  bytesResponse,
  serve,
  serveFolder,
  serveRaw,
} from "../../support/http_server.ts";
import { TempDir } from "../../support/temp.ts";
import { has } from "../../support/tools.ts";

const body = new Uint8Array(300_000).map((_, i) => (i * 7 + (i >> 8)) & 255);
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

Deno.test("download() fetches a file once, then takes it from the cache", async () => {
  using dir = new TempDir();
  using cache = new TempDir();
  Deno.writeFileSync(dir.join("a.tgz"), body);
  await using server = serveFolder(dir.path);
  const first = await download(request(cache, `${server.url}/a.tgz`));
  deepEqual(first, {
    path: cachedPath(cache.path, digest),
    sha256: digest,
    size: body.length,
    url: `${server.url}/a.tgz`,
    cached: false,
  });
  deepEqual(Deno.readFileSync(first.path), body);
  const again = await download(
    request(cache, `${server.url}/a.tgz`, { sha256: digest }),
  );
  equal(again.cached, true);
  equal(server.requests.length, 1);
  deepEqual(
    [...Deno.readDirSync(join(cache.path, "partial-v1"))]
      .filter((entry) => entry.isDirectory),
    [],
  );
});

Deno.test("download() throws a corrupt cache entry away and fetches again", async () => {
  using cache = new TempDir();
  await using server = serve((r) => bytesResponse(body, r));
  const wanted = request(cache, server.url, { sha256: digest });
  const { path } = await download(wanted);
  Deno.chmodSync(path, 0o644);
  Deno.writeTextFileSync(path, "rot");
  const warnings: string[] = [];
  const bus = new FeedbackBus();
  bus.subscribe((e) => e.level === "warn" && warnings.push(e.message));
  const again = await download({ ...wanted, feedback: bus });
  deepEqual(Deno.readFileSync(again.path), body);
  deepEqual(warnings, [`${path} was corrupt; fetching it again`]);
});

Deno.test("download() goes on where a broken transfer ended", async () => {
  using cache = new TempDir();
  const header =
    `HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: ${body.length}\r\n\r\n`;
  await using server = serveRaw(async (connection, count) => {
    const write = async (data: string | Uint8Array) => {
      const bytes = typeof data === "string"
        ? new TextEncoder().encode(data)
        : data;
      for (let at = 0; at < bytes.length;) {
        at += await connection.write(bytes.subarray(at));
      }
    };
    if (count === 0) {
      await write(header);
      await write(body.subarray(0, 100_000));
      return;
    }
    const start = Number(
      /bytes=(\d+)-/.exec(server.requests[count]?.headers.range ?? "")?.[1],
    );
    await write(
      `HTTP/1.1 206 Partial Content\r\nETag: "e"\r\nContent-Range: bytes ${start}-${
        body.length - 1
      }/${body.length}\r\nContent-Length: ${body.length - start}\r\n\r\n`,
    );
    await write(body.subarray(start));
  });
  const result = await download(request(cache, `${server.url}/a.tgz`));
  equal(result.sha256, digest);
  equal(server.requests.length, 2);
  equal(server.requests[1]?.headers["if-range"], '"e"');
});

Deno.test("download() starts over when the entity changed in between", async () => {
  using cache = new TempDir();
  const other = body.map((byte) => byte ^ 1);
  await using server = serveRaw(async (connection, count) => {
    const bytes = count === 0 ? body : other;
    const text =
      `HTTP/1.1 200 OK\r\nETag: "${count}"\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(text));
    const end = count === 0 ? 1000 : bytes.length;
    for (let at = 0; at < end;) {
      at += await connection.write(bytes.subarray(at, end));
    }
  });
  const result = await download(request(cache, server.url));
  equal(result.sha256, sha256Hex(other));
});

Deno.test("download() tries again after 503, and keeps to Retry-After", async () => {
  using cache = new TempDir();
  await using server = serve((r, _, count) =>
    count < 2
      ? new Response("busy", { status: 503, headers: { "retry-after": "0" } })
      : bytesResponse(body, r)
  );
  const result = await download(
    request(cache, server.url, { pauseMs: 3_600_000 }),
  );
  equal(result.sha256, digest);
  equal(server.requests.length, 3);
});

Deno.test("download() says what the server answered", async () => {
  using cache = new TempDir();
  await using server = serve(() => undefined);
  const url = `${server.url}/old/a.tgz`;
  deepEqual((await failure(download(request(cache, url)))).toJSON(), {
    code: "CLIBS_HTTP_STATUS",
    message: "Cannot fetch zlib: the server answered 404 Not Found",
    facts: { url },
    hint: "check the URL; old releases are often moved: add `mirrors:`",
  });
  equal(server.requests.length, 1);
});

Deno.test("download() gives up on a server that is silent", async () => {
  using cache = new TempDir();
  const held: Deno.TcpConn[] = [];
  await using server = serveRaw((connection) => {
    held.push(connection);
    const { promise, resolve } = Promise.withResolvers<void>();
    connection.read(new Uint8Array(1)).catch(() => {}).finally(resolve);
    return promise;
  });
  const error = await failure(
    download(request(cache, server.url, { stallMs: 100, retries: 1 })),
  );
  deepEqual(error.toJSON(), {
    code: "CLIBS_HTTP_STALL",
    message: "Cannot fetch zlib: the server was silent for 0.1 s",
    facts: { url: `${server.url}/` },
    hint:
      "try again, or allow more with CLIBS_HTTP_STALL_S=300, or add `mirrors:`",
  });
  equal(server.requests.length, 2);
});

Deno.test("download() says that nobody answers", async () => {
  using cache = new TempDir();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const url = `http://user:secret@127.0.0.1:${port}/a.tgz`;
  const error = await failure(download(request(cache, url, { retries: 1 })));
  equal(error.code, "CLIBS_HTTP_CONNECT");
  equal(error.message, "Cannot fetch zlib: the connection failed");
  equal(error.facts.url, `http://127.0.0.1:${port}/a.tgz`);
  match(error.facts.reason ?? "", /refused/i);
  equal(
    error.hint,
    "check the network and HTTPS_PROXY, or add `mirrors:`; --offline uses caches only",
  );
  ok(!JSON.stringify(error).includes("secret"));
});

Deno.test("download() says that a body was cut short", async () => {
  using cache = new TempDir();
  await using server = serveRaw(async (connection) => {
    const text = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    await connection.write(new TextEncoder().encode(text));
  });
  const error = await failure(
    download(request(cache, server.url, { retries: 0 })),
  );
  deepEqual(error.toJSON(), {
    code: "CLIBS_HTTP_SHORT",
    message: "Cannot fetch zlib: the body ended too early",
    facts: {
      url: `${server.url}/`,
      received: "3 bytes",
      expected: "10 bytes",
    },
    hint: "try again, or add `mirrors:`",
  });
});

Deno.test("download() keeps the bytes of a file that the server marks as coded", async () => {
  using cache = new TempDir();
  const packed = new Uint8Array(
    await new Response(
      new Blob([body]).stream().pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer(),
  );
  await using server = serveRaw(async (connection) => {
    const text =
      `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(text));
    for (let at = 0; at < packed.length;) {
      at += await connection.write(packed.subarray(at));
    }
  });
  const { path } = await download(request(cache, server.url));
  deepEqual(Deno.readFileSync(path), packed);
});

Deno.test("download() refuses other bytes than expected, and says if they are HTML", async () => {
  using cache = new TempDir();
  const page = "<!DOCTYPE html><title>Log in</title>";
  await using server = serve(() => new Response(page));
  const error = await failure(
    download(request(cache, `${server.url}/a.tgz`, { sha256: digest })),
  );
  deepEqual(error.toJSON(), {
    code: "CLIBS_FETCH_DIGEST",
    message: "Cannot fetch zlib: a.tgz has another digest than expected",
    facts: {
      url: `${server.url}/a.tgz`,
      expected: `sha256:${digest}`,
      actual: `sha256:${sha256Hex(page)}`,
      size: "36 bytes",
      content: "an HTML page, such as a login or error page",
    },
    hint: "check the URL and the digest; the file may have been replaced",
  });
});

Deno.test("download() follows redirections, with credentials to their own host only", async () => {
  using cache = new TempDir();
  await using files = serve((r) => bytesResponse(body, r));
  await using server = serve((_, path) =>
    path === "/final"
      ? new Response(null, {
        status: 302,
        headers: { location: `${files.url}/x` },
      })
      : new Response(null, { status: 301, headers: { location: "/final" } })
  );
  const url = server.url.replace("://", "://me:p%40ss@");
  await download(request(cache, `${url}/start`));
  deepEqual(
    server.requests.map((r) => [r.path, r.headers.authorization]),
    [["/start", `Basic ${btoa("me:p@ss")}`], [
      "/final",
      `Basic ${btoa("me:p@ss")}`,
    ]],
  );
  equal(files.requests[0]?.headers.authorization, undefined);
});

const redirections: [string, (base: string) => string, string, string?][] = [
  ["a loop", (base) => `${base}/a.tgz`, "the redirections form a loop"],
  [
    "another scheme",
    () => "file:///etc/passwd",
    "a redirection leads to file:",
    "file:///etc/passwd",
  ],
  ["nowhere", () => "http://[", "a redirection leads nowhere"],
];

Deno.test("download() refuses some redirections", async (t) => {
  for (const [name, location, why, to] of redirections) {
    await t.step(name, async () => {
      using cache = new TempDir();
      await using server = serve(() =>
        new Response(null, {
          status: 302,
          headers: { location: location(server.url) },
        })
      );
      const url = `${server.url}/a.tgz`;
      const error = await failure(download(request(cache, url)));
      equal(error.code, "CLIBS_HTTP_REDIRECT");
      equal(error.message, `Cannot fetch zlib: ${why}`);
      if (to) equal(error.facts.to, to);
      equal(error.hint, "write the final https URL into pkg.yaml");
    });
  }
  await t.step("too many", async () => {
    using cache = new TempDir();
    await using server = serve((_, __, count) =>
      new Response(null, { status: 302, headers: { location: `/${count}` } })
    );
    const error = await failure(download(request(cache, server.url)));
    equal(error.message, "Cannot fetch zlib: more than 10 redirections");
    equal(server.requests.length, 11);
  });
});

Deno.test("download() tries mirrors by digest and by name before the URL", async () => {
  using cache = new TempDir();
  using folder = new TempDir();
  await using empty = serve(() => undefined);
  await using server = serve((r) => bytesResponse(body, r));
  const wanted = request(cache, `${server.url}/a.tgz`, {
    sha256: digest,
    mirrors: [`${empty.url}/m/`, folder.path],
  });
  await download(wanted);
  deepEqual(empty.requests.map((r) => r.path), [
    `/m/sha256/${digest}`,
    "/m/a.tgz",
  ]);
  equal(server.requests.length, 1);
  using other = new TempDir();
  Deno.writeFileSync(folder.join("a.tgz"), body);
  const result = await download({
    ...wanted,
    cache: other.path,
    offline: true,
  });
  equal(result.path, folder.join("a.tgz"));
});

Deno.test("download() lists every place that failed", async () => {
  using cache = new TempDir();
  await using gone = serve(() => new Response(null, { status: 410 }));
  await using server = serve(() => undefined);
  const error = await failure(download(
    request(cache, "", { urls: [`${server.url}/a`, `${gone.url}/b`] }),
  ));
  deepEqual(error.toJSON(), {
    code: "CLIBS_FETCH_FAILED",
    message: "Cannot fetch zlib: no place has a.tgz",
    facts: {
      [`${server.url}/a`]: "the server answered 404 Not Found",
      [`${gone.url}/b`]: "the server answered 410 Gone",
    },
    hint: "check the URLs and the network",
  });
});

Deno.test("download() offline uses caches and local files only", async () => {
  using cache = new TempDir();
  await using server = serve((r) => bytesResponse(body, r));
  const url = `${server.url}/a.tgz`;
  const wanted = request(cache, url, { sha256: digest, offline: true });
  deepEqual((await failure(download(wanted))).toJSON(), {
    code: "CLIBS_OFFLINE",
    message:
      "Cannot fetch zlib: a.tgz is not in the cache, and --offline allows nothing else",
    facts: { url, sha256: digest, cache: cache.path },
    hint:
      "run `clibs fetch` with a network once, or name a folder that has the file in CLIBS_MIRROR",
  });
  equal(server.requests.length, 0);
  await download({ ...wanted, offline: false });
  equal((await download(wanted)).cached, true);
});

Deno.test("download() names a local file that is not there", async () => {
  using cache = new TempDir();
  const path = cache.join("absent.tgz");
  deepEqual((await failure(download(request(cache, path)))).toJSON(), {
    code: "CLIBS_FETCH_LOCAL",
    message: "Cannot fetch zlib: there is no such file",
    facts: { file: path },
    hint: "check the path; it is relative to pkg.yaml",
  });
});

Deno.test("download() ends on the caller's signal and keeps what has come", async () => {
  using cache = new TempDir();
  await using server = serveRaw(async (connection) => {
    const text =
      'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 9999999\r\n\r\nabc';
    await connection.write(new TextEncoder().encode(text));
    await connection.read(new Uint8Array(1)).catch(() => {});
  });
  const abort = new AbortController();
  const bus = new FeedbackBus();
  bus.subscribe((event) => {
    const done = event.code === "task.progress" && event.fields.bytes === 3;
    if (done) abort.abort();
  });
  await rejects(
    download(
      request(cache, server.url, { signal: abort.signal, feedback: bus }),
    ),
    CancelledError,
  );
  const [partial] = [...Deno.readDirSync(cache.join("partial-v1"))]
    .filter((entry) => entry.isDirectory);
  equal(cache.read(`partial-v1/${partial?.name}/body`), "abc");
});

Deno.test("two processes fetch one file once", async () => {
  using cache = new TempDir();
  await using server = serve((r) => bytesResponse(body, r));
  const program = `
    import { download } from "${
    import.meta.resolve("../../../lib/host/http/download.ts")
  }";
    await download({ urls: ["${server.url}/a"], filename: "a", cache: ${
    JSON.stringify(cache.path)
  }, what: "x", sha256: "${digest}" });`;
  cache.write({ "main.ts": program });
  const run = () =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", cache.join("main.ts")],
    }).output();
  const [one, two] = await Promise.all([run(), run()]);
  equal(one.code, 0, new TextDecoder().decode(one.stderr));
  equal(two.code, 0, new TextDecoder().decode(two.stderr));
  equal(server.requests.length, 1);
});

Deno.test("download() goes through a proxy that the environment names", async () => {
  using cache = new TempDir();
  await using proxy = serveRaw(async (connection) => {
    const text = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`;
    await connection.write(new TextEncoder().encode(text));
  });
  const program = `
    import { download } from "${
    import.meta.resolve("../../../lib/host/http/download.ts")
  }";
    const r = await download({ urls: ["http://upstream.invalid/a"], filename: "a", cache: ${
    JSON.stringify(cache.path)
  }, what: "x" });
    console.log(r.size);`;
  cache.write({ "main.ts": program });
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", cache.join("main.ts")],
    env: { HTTP_PROXY: proxy.url, NO_PROXY: "" },
  }).output();
  equal(new TextDecoder().decode(stdout), "2\n");
  equal(proxy.requests[0]?.path, "http://upstream.invalid/a");
});

Deno.test({
  name: "download() does not follow a redirection from https to http",
  ignore: !has("openssl"),
  async fn() {
    using cache = new TempDir();
    await using plain = serve((r) => bytesResponse(body, r));
    const openssl = new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
        ...["-keyout", "key.pem", "-out", "cert.pem"],
        ...[
          "-subj",
          "/CN=localhost",
          "-addext",
          "subjectAltName=DNS:localhost",
        ],
        ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ],
      cwd: cache.path,
    }).outputSync();
    ok(openssl.success);
    const server = Deno.serve(
      {
        hostname: "127.0.0.1",
        port: 0,
        cert: cache.read("cert.pem"),
        key: cache.read("key.pem"),
        onListen() {},
      },
      (request) =>
        new URL(request.url).pathname === "/good"
          ? new Response("fine")
          : new Response(null, {
            status: 302,
            headers: { location: `${plain.url}/a` },
          }),
    );
    cache.write({
      "main.ts": `
    import { download } from "${
        import.meta.resolve("../../../lib/host/http/download.ts")
      }";
    for (const path of ["good", "bad"]) {
      const { size, message } = await download({
        urls: ["https://localhost:${server.addr.port}/" + path], filename: "a",
        cache: ${JSON.stringify(cache.path)}, what: "x", pauseMs: 1,
      }).catch((error) => error);
      console.log(size ?? message);
    }`,
    });
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", cache.join("main.ts")],
      env: { DENO_CERT: cache.join("cert.pem") },
    }).output();
    await server.shutdown();
    equal(
      new TextDecoder().decode(stdout),
      "4\nCannot fetch x: a redirection leads from https to http\n",
    );
    equal(plain.requests.length, 0);
  },
});
