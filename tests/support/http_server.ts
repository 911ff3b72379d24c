/** A real HTTP server on loopback, with the faults that real servers have. */

import { join } from "node:path";

/** What a server saw of one request. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
}

/** A running server; `await using` stops it. */
export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  url: string;
  /** Every request so far. */
  requests: SeenRequest[];
}

/** Answers a request; undefined: 404. */
export type Handler = (
  request: Request,
  path: string,
  count: number,
) => Response | Promise<Response> | undefined;

/**
 * Starts a server.
 *
 * @param handler Gets the request, its path and how many came before it.
 */
export function serve(handler: Handler): TestServer {
  const requests: SeenRequest[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const path = decodeURIComponent(new URL(request.url).pathname);
      requests.push({
        method: request.method,
        path,
        headers: Object.fromEntries(request.headers),
      });
      return await handler(request, path, requests.length - 1) ??
        new Response("not found", { status: 404 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

/** Options of {@linkcode serveFolder}. */
export interface FolderOptions {
  /** Sends no entity tags, so that nothing can be resumed. */
  withoutEtags?: boolean;
}

/** Serves the files of a folder, with entity tags and ranges. */
export function serveFolder(
  dir: string,
  options: FolderOptions = {},
): TestServer {
  return serve((request, path) => {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = Deno.readFileSync(join(dir, path));
    } catch {
      return undefined;
    }
    return bytesResponse(bytes, request, options);
  });
}

/** Answers with some bytes, as a static file server does. */
export function bytesResponse(
  bytes: Uint8Array<ArrayBuffer>,
  request: Request,
  options: FolderOptions = {},
): Response {
  const etag = `"${bytes.length}-${bytes.at(-1) ?? 0}"`;
  const headers = new Headers({ "content-type": "application/octet-stream" });
  if (!options.withoutEtags) headers.set("etag", etag);
  const range = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "");
  if (range && request.headers.get("if-range") === etag) {
    const start = Number(range[1]);
    if (start >= bytes.length) return new Response(null, { status: 416 });
    headers.set(
      "content-range",
      `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
    );
    return new Response(bytes.subarray(start), { status: 206, headers });
  }
  return new Response(bytes, { headers });
}

/**
 * Starts a server that answers each connection with raw text and bytes, for
 * what no well-behaved server sends.
 *
 * @param answer Writes to the connection; it is closed afterwards.
 */
export function serveRaw(
  answer: (connection: Deno.TcpConn, count: number) => Promise<void>,
): TestServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: SeenRequest[] = [];
  const open = new Set<Promise<void>>();
  const accept = (async () => {
    for await (const connection of listener) {
      const one = (async () => {
        const buffer = new Uint8Array(16384);
        const n = await connection.read(buffer) ?? 0;
        const [line = "", ...lines] = new TextDecoder()
          .decode(buffer.subarray(0, n)).split("\r\n");
        const [method = "", path = ""] = line.split(" ");
        const headers = Object.fromEntries(
          lines.filter((l) => l.includes(": ")).map((l) => {
            const colon = l.indexOf(": ");
            return [l.slice(0, colon).toLowerCase(), l.slice(colon + 2)];
          }),
        );
        requests.push({ method, path, headers });
        await answer(connection, requests.length - 1).catch(() => {});
        connection.close();
      })();
      open.add(one);
      one.finally(() => open.delete(one));
    }
  })();
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accept;
      await Promise.allSettled(open);
    },
  };
}
