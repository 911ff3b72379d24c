/** Real git servers on the loopback interface, and repositories to serve. */

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A server that ends with its scope. */
export interface GitServer extends AsyncDisposable {
  /** Address of the served folder, without a slash at the end. */
  url: string;
}

/** A file's text, or a link, or an executable. */
export type RepositoryFile = string | { link: string } | { exec: string };

/** One step in the life of a repository. */
export interface RepositoryCommit {
  /** Files by path, added or replaced. */
  files?: Record<string, RepositoryFile>;
  /** Submodules by path: their commit ids. */
  gitlinks?: Record<string, string>;
  /** Lightweight tags put on this commit. */
  tags?: string[];
  /** Annotated tags put on this commit. */
  annotated?: string[];
  /** Branches put on this commit; `main` moves with every commit. */
  branches?: string[];
  /** Seconds since the epoch. Default: 1600000000. */
  time?: number;
}

/**
 * Runs git in a test's own repository, away from the user's configuration.
 *
 * @returns What it printed, without the last line's end.
 */
export function git(dir: string, ...args: string[]): string {
  return gitAt(dir, 1600000000, args);
}

function gitAt(dir: string, time: number, args: string[]): string {
  const env = Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([n]) => !n.startsWith("GIT_")),
  );
  const result = spawnSync("git", args, {
    cwd: dir,
    encoding: "utf8",
    env: {
      ...env,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "A",
      GIT_AUTHOR_EMAIL: "a@localhost",
      GIT_COMMITTER_NAME: "A",
      GIT_COMMITTER_EMAIL: "a@localhost",
      GIT_AUTHOR_DATE: `${time} +0000`,
      GIT_COMMITTER_DATE: `${time} +0000`,
    },
  });
  if (result.status !== 0) {
    throw new Error(`git ${args.join(" ")}: ${result.stderr}`);
  }
  return result.stdout.trimEnd();
}

/**
 * Makes a bare repository.
 *
 * @param dir Absolute path, as `<base>/lib.git`.
 * @returns The commit ids, in order.
 */
export function makeRepository(
  dir: string,
  commits: readonly RepositoryCommit[],
): string[] {
  const work = `${dir}.work`;
  mkdirSync(work, { recursive: true });
  git(work, "init", "--quiet", "--initial-branch=main");
  const ids = commits.map((commit) => addCommit(work, commit));
  git(work, "clone", "--quiet", "--mirror", work, dir);
  // For git daemon and git http-backend.
  writeFileSync(join(dir, "git-daemon-export-ok"), "");
  git(dir, "update-server-info");
  return ids;
}

/**
 * Makes a bare repository of one commit from a folder, which becomes its work
 * tree.
 */
export function repositoryFromTree(
  tree: string,
  dir: string,
  tag: string,
): void {
  git(tree, "init", "--quiet", "--initial-branch=main");
  git(tree, "add", "--all", "--force");
  git(tree, "commit", "--quiet", "--message=x");
  git(tree, "tag", tag);
  git(tree, "clone", "--quiet", "--mirror", tree, dir);
  writeFileSync(join(dir, "git-daemon-export-ok"), "");
}

function addCommit(work: string, commit: RepositoryCommit): string {
  for (const [path, file] of Object.entries(commit.files ?? {})) {
    const full = join(work, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof file === "string") writeFileSync(full, file);
    else if ("link" in file) symlinkSync(file.link, full);
    else {
      writeFileSync(full, file.exec);
      chmodSync(full, 0o755);
    }
  }
  git(work, "add", "--all", "--force");
  for (const [path, id] of Object.entries(commit.gitlinks ?? {})) {
    git(work, "update-index", "--add", "--cacheinfo", `160000,${id},${path}`);
  }
  gitAt(work, commit.time ?? 1600000000, [
    "commit",
    "--quiet",
    "--allow-empty",
    "--message=x",
  ]);
  for (const tag of commit.tags ?? []) git(work, "tag", tag);
  for (const tag of commit.annotated ?? []) {
    git(work, "tag", "--annotate", "--message=x", tag);
  }
  for (const branch of commit.branches ?? []) {
    git(work, "branch", "--force", branch);
  }
  return git(work, "rev-parse", "HEAD");
}

/** Serves the repositories below a folder with `git daemon`. */
export async function startGitDaemon(baseDir: string): Promise<GitServer> {
  for (let attempt = 0;; attempt++) {
    // git daemon cannot say which port it was given, so one is chosen for it.
    const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = probe.addr as Deno.NetAddr;
    probe.close();
    const child = new Deno.Command("git", {
      args: [
        "daemon",
        "--verbose",
        "--log-destination=stderr",
        "--listen=127.0.0.1",
        `--port=${port}`,
        `--base-path=${baseDir}`,
        "--export-all",
        baseDir,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      detached: true,
    }).spawn();
    const reader = child.stderr.getReader();
    let said = "";
    let ended = false;
    while (!said.includes("Ready to rumble") && !ended) {
      const { value, done } = await reader.read();
      ended = done;
      said += new TextDecoder().decode(value);
    }
    const drain = (async () => {
      while (!(await reader.read()).done);
    })();
    if (ended) {
      await child.status;
      if (attempt < 3) continue;
      throw new Error(`git daemon: ${said}`);
    }
    return {
      url: `git://127.0.0.1:${port}`,
      async [Symbol.asyncDispose]() {
        Deno.kill(-child.pid, "SIGKILL");
        await child.status;
        await drain;
      },
    };
  }
}

/** Options of {@linkcode startGitHttp}. */
export interface GitHttpOptions {
  /** `user:password` that every request has to have. */
  auth?: string;
  /** Whether the client's wish for protocol version 2 is heard. Default: true. */
  protocol2?: boolean;
  /** Whether only files are served, as by a plain web server. Default: false. */
  dumb?: boolean;
  /** Gets each request's path, before it is answered; may delay the answer. */
  onRequest?: (path: string, request: Request) => void | Promise<void>;
}

/** Serves the repositories below a folder with `git http-backend`. */
export function startGitHttp(
  baseDir: string,
  options: GitHttpOptions = {},
): GitServer {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => answer(baseDir, options, request),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function answer(
  baseDir: string,
  options: GitHttpOptions,
  request: Request,
): Promise<Response> {
  const url = new URL(request.url);
  await options.onRequest?.(url.pathname, request);
  const wanted = options.auth && `Basic ${btoa(options.auth)}`;
  if (wanted && request.headers.get("authorization") !== wanted) {
    return new Response("", {
      status: 401,
      headers: { "www-authenticate": 'Basic realm="x"' },
    });
  }
  if (options.dumb) return serveFile(join(baseDir, url.pathname));
  const body = new Uint8Array(await request.arrayBuffer());
  const child = new Deno.Command("git", {
    args: ["http-backend"],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_PROJECT_ROOT: baseDir,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      REMOTE_ADDR: "127.0.0.1",
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      GIT_PROTOCOL: options.protocol2 === false
        ? ""
        : request.headers.get("git-protocol") ?? "",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(body).catch(() => {});
  await writer.close().catch(() => {});
  return cgiResponse((await child.output()).stdout);
}

function cgiResponse(bytes: Uint8Array<ArrayBuffer>): Response {
  // One byte for one character, so that positions are those of the bytes.
  const text = new TextDecoder("latin1").decode(bytes);
  const end = text.indexOf("\r\n\r\n");
  const headers = new Headers();
  let status = 200;
  for (const line of text.slice(0, end).split("\r\n")) {
    const colon = line.indexOf(":");
    const value = line.slice(colon + 1).trim();
    if (line.slice(0, colon) === "Status") status = parseInt(value);
    else headers.append(line.slice(0, colon), value);
  }
  return new Response(bytes.slice(end + 4), { status, headers });
}

async function serveFile(path: string): Promise<Response> {
  try {
    return new Response(await Deno.readFile(path));
  } catch {
    return new Response("", { status: 404 });
  }
}
