import assert from "node:assert/strict";
import { join } from "node:path";
import { ClibsError } from "../../../lib/errors.ts";
import {
  checkGitAddress,
  checkGitRef,
  checkoutGit,
  type GitRequest,
} from "../../../lib/host/git/mod.ts";
import {
  parseGitAddress,
  resolveSubmoduleUrl,
} from "../../../lib/host/git/address.ts";
import {
  localSetting,
  remoteSetting,
} from "../../../lib/host/git/environment.ts";
import { checkLinks, checkPaths } from "../../../lib/host/git/tree.ts";
import {
  git,
  makeRepository,
  startGitDaemon,
  startGitHttp,
} from "../../support/git_server.ts";

function temporary(): { base: string } & Disposable {
  const base = Deno.makeTempDirSync({ prefix: "clibs-git-" });
  return {
    base,
    [Symbol.dispose]: () => Deno.removeSync(base, { recursive: true }),
  };
}

function request(base: string, repo: string, ref = "main"): GitRequest {
  return {
    what: "lib",
    repo,
    ref,
    submodules: false,
    into: join(base, "out"),
    cache: join(base, "cache"),
  };
}

async function failure(work: Promise<unknown>): Promise<ClibsError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof ClibsError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "it did not fail" });
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path) !== undefined;
  } catch {
    return false;
  }
}

Deno.test("checkGitAddress() refuses, and checkoutGit() runs nothing", async (t) => {
  using tmp = temporary();
  const marker = join(tmp.base, "marker");
  const script = join(tmp.base, "run");
  Deno.writeTextFileSync(script, `#!/bin/sh\ntouch ${marker}\n`, {
    mode: 0o755,
  });
  const addresses = [
    "",
    `ext::sh -c touch% ${marker}`,
    `EXT::sh -c touch% ${marker}`,
    `Ext::${script}`,
    "fd::17",
    "https::https://localhost/x",
    `--upload-pack=${script}`,
    `-u${script}`,
    `-u ${script}`,
    `ssh://-oProxyCommand=${script}/x`,
    `ssh://git@-oProxyCommand=${script}/x`,
    "ssh://localhost/-x",
    "ssh://-l@localhost/x",
    "ssh://%2doProxyCommand=x@localhost/x",
    "ssh://%2doProxyCommand=x/x",
    `git@-oProxyCommand=${script}:x`,
    `-oProxyCommand=${script}:x`,
    `git@host:-oProxyCommand=${script}`,
    "git://localhost/%0ahost=other",
    "https://localhost/a\nb",
    "https://localhost/\x1b[2J",
    "HTTPS://localhost/x",
    "ftp://localhost/x",
    "file://host/x",
    "https:///x",
    "https://localhost",
    "https://localhost/%zz",
    "../relative",
    "plain",
    "javascript:alert(1)//::",
  ];
  for (const repo of addresses) {
    await t.step(JSON.stringify(repo.replaceAll(tmp.base, "")), async () => {
      assert.throws(() => checkGitAddress(repo), { code: "CLIBS_GIT_URL" });
      const error = await failure(checkoutGit(request(tmp.base, repo)));
      assert.equal(error.code, "CLIBS_GIT_URL");
      assert.ok(
        !error.message.includes("\x1b") && !error.message.includes("\n"),
      );
      assert.ok(!exists(marker));
    });
  }
  await t.step("in full", () => {
    assert.throws(() => checkGitAddress("EXT::sh\x1b"), (error: ClibsError) => {
      assert.equal(
        error.message,
        'Cannot use git address "EXT::sh\\x1b": it has a control character',
      );
      return true;
    });
    assert.throws(
      () => checkGitAddress("https://me:secret@-x/y"),
      (error: ClibsError) => {
        assert.deepEqual(error.toJSON(), {
          code: "CLIBS_GIT_URL",
          message:
            'Cannot use git address "https://-x/y": its host begins with `-`',
          facts: {},
          hint: "write it as https://HOST/PATH, ssh://USER@HOST/PATH, " +
            "USER@HOST:PATH, file:///PATH or an absolute path",
        });
        return true;
      },
    );
  });
});

Deno.test("parseGitAddress() accepts, and hides passwords", () => {
  const cases: [string, string, string, string][] = [
    ["https://h/a.git", "https", "https://h/a.git", "https://h/a.git"],
    ["https://u:p@h:8/a", "https", "https://h:8/a", "https://h:8/a"],
    ["https://token@h/a", "https", "https://token@h/a", "https://h/a"],
    ["http://[::1]:8/a", "http", "http://[::1]:8/a", "http://[::1]:8/a"],
    ["git://h/a", "git", "git://h/a", "git://h/a"],
    ["ssh://git@h:22/a", "ssh", "ssh://git@h:22/a", "ssh://git@h:22/a"],
    ["ssh://git:p@h/a", "ssh", "ssh://git@h/a", "ssh://git@h/a"],
    ["git@h:a/b.git", "ssh", "git@h:a/b.git", "git@h:a/b.git"],
    ["/a/b c", "file", "/a/b c", "/a/b c"],
    ["file:///a/b%20c", "file", "/a/b c", "/a/b c"],
    ["file:/a", "file", "/a", "/a"],
  ];
  for (const [repo, transport, url, shown] of cases) {
    const address = parseGitAddress(repo);
    assert.deepEqual([address.transport, address.url, address.shown], [
      transport,
      url,
      shown,
    ]);
  }
});

Deno.test("checkGitRef() refuses options, ranges and expressions", async (t) => {
  using tmp = temporary();
  const marker = join(tmp.base, "marker");
  const refs = [
    "",
    "-u",
    `--upload-pack=touch ${marker}`,
    "--output=x",
    "a..b",
    "HEAD~1",
    "v1^{}",
    "x@{1}",
    "@",
    "a b",
    "a:b",
    "a*",
    "a?",
    "a[",
    "a\\b",
    "a\nb",
    "a\x1b[2J",
    "/a",
    "a//b",
    "a/",
    ".a",
    "a/.b",
    "a.lock",
    "a.",
  ];
  for (const ref of refs) {
    await t.step(JSON.stringify(ref.replaceAll(tmp.base, "")), async () => {
      const error = await failure(
        checkoutGit(request(tmp.base, "/nowhere", ref)),
      );
      assert.equal(error.code, "CLIBS_GIT_REF_NAME");
      assert.ok(!exists(marker));
    });
  }
  for (
    const ref of [
      "main",
      "v1.2",
      "feature/x-y",
      "a@b",
      "HEAD",
      "refs/pull/1/head",
    ]
  ) {
    checkGitRef(ref);
  }
  assert.throws(() => checkGitRef("HEAD~1"), (error: ClibsError) => {
    assert.deepEqual(error.toJSON(), {
      code: "CLIBS_GIT_REF_NAME",
      message: 'Cannot use git ref "HEAD~1": it has `~`',
      facts: {},
      hint: "set `ref:` to a branch, a tag or a commit id",
    });
    return true;
  });
});

Deno.test("resolveSubmoduleUrl() goes by the parent's address", () => {
  const cases: [string, string, string][] = [
    ["https://h/a/b.git", "../c.git", "https://h/a/c.git"],
    ["https://h/a/b.git", "./c", "https://h/a/b.git/c"],
    ["https://h/a/b.git", "../../c", "https://h/c"],
    ["git@h:a/b", "../c", "git@h:a/c"],
    ["git@h:a/b", "../../c", "git@h:c"],
    ["/srv/a.git", "../c.git", "/srv/c.git"],
    ["https://h/a", "https://o/c", "https://o/c"],
  ];
  for (const [parent, url, expected] of cases) {
    assert.equal(resolveSubmoduleUrl(parent, url), expected);
  }
  assert.throws(() => resolveSubmoduleUrl("https://h/a", "../../../c"), {
    code: "CLIBS_GIT_URL",
  });
});

const subject = { what: "lib", ref: "main", address: parseGitAddress("/r") };

Deno.test("checkLinks() follows links as the system would", () => {
  const cases: [Record<string, string>, boolean][] = [
    [{ "a": "b" }, true],
    [{ "d/a": "../b" }, true],
    [{ "d/a": "../../b" }, false],
    [{ "a": "/etc/passwd" }, false],
    [{ "a": "a" }, true],
    [{ "a": "b", "b": "a" }, true],
    // Lexically inside, really two levels above.
    [{ "a/b/c/up": "../../..", "x": "a/b/c/up/../.." }, false],
    [{ "x": "y/z", "y": ".." }, false],
    [{ "p": "a/b", "q": "p/../c" }, true],
  ];
  for (const [links, fine] of cases) {
    const check = () => checkLinks(subject, new Map(Object.entries(links)));
    if (fine) check();
    else {assert.throws(
        check,
        { code: "CLIBS_GIT_UNSAFE" },
        JSON.stringify(links),
      );}
  }
});

Deno.test("checkPaths() refuses git's own names, however they are written", () => {
  const entry = (path: string) => ({ path, mode: "100644", id: "", size: 0 });
  for (
    const path of [
      ".git",
      ".GIT/config",
      "a/.Git",
      ".g\u200cit/x",
      "git~1",
      ".git. .",
      ".git::$INDEX_ALLOCATION/x",
      "../x",
      "a/../../x",
      "/x",
    ]
  ) {
    assert.throws(() => checkPaths(subject, [entry(path)]), {
      code: "CLIBS_GIT_UNSAFE",
    }, path);
  }
  checkPaths(subject, [".gitignore", ".gitmodules", "git", "a.git"].map(entry));
  const twins = ["A/x", "a/y"].map(entry);
  checkPaths(subject, twins, false);
  assert.throws(() => checkPaths(subject, twins, true), {
    code: "CLIBS_GIT_UNSAFE",
  });
});

Deno.test("checkoutGit() refuses a link that leaves the tree", async () => {
  using tmp = temporary();
  const repo = join(tmp.base, "x.git");
  makeRepository(repo, [{ files: { "d/evil": { link: "../../up" } } }]);
  const error = await failure(checkoutGit(request(tmp.base, repo)));
  assert.deepEqual(error.toJSON(), {
    code: "CLIBS_GIT_UNSAFE",
    message: "Cannot fetch lib: a symbolic link leads out of the source tree",
    facts: { repo, entry: "d/evil", target: "../../up" },
    hint: "report it to the maintainers of the repository; use another ref",
  });
  assert.ok(!exists(join(tmp.base, "out/d")));
});

Deno.test("checkoutGit() refuses a .git in the tree", async () => {
  using tmp = temporary();
  const repo = join(tmp.base, "x.git");
  makeRepository(repo, [{ files: { f: "x" } }]);
  const blob = git(repo, "rev-parse", "main:f");
  const path = join(tmp.base, "tree");
  const raw = new Uint8Array([
    ...new TextEncoder().encode("100644 .git\0"),
    ...blob.match(/../g)!.map((pair) => parseInt(pair, 16)),
  ]);
  Deno.writeFileSync(path, raw);
  const tree = git(
    repo,
    "hash-object",
    "-t",
    "tree",
    "-w",
    "--literally",
    path,
  );
  const commit = git(repo, "commit-tree", "-m", "x", tree);
  git(repo, "update-ref", "refs/heads/evil", commit);
  const error = await failure(checkoutGit(request(tmp.base, repo, "evil")));
  assert.equal(error.code, "CLIBS_GIT_UNSAFE");
  assert.equal(error.facts.entry, ".git");
});

Deno.test("the machine's git configuration runs nothing", async () => {
  using tmp = temporary();
  const marker = join(tmp.base, "marker");
  const hook = join(tmp.base, "hook");
  Deno.writeTextFileSync(hook, `#!/bin/sh\necho "$0 $*" >>${marker}\ncat\n`, {
    mode: 0o755,
  });
  const hooks = join(tmp.base, "hooks");
  const template = join(tmp.base, "template/hooks");
  for (const folder of [hooks, template]) {
    Deno.mkdirSync(folder, { recursive: true });
    for (
      const name of [
        "post-checkout",
        "reference-transaction",
        "post-index-change",
      ]
    ) {
      Deno.copyFileSync(hook, join(folder, name));
    }
  }
  const config = join(tmp.base, "gitconfig");
  Deno.writeTextFileSync(
    config,
    `[core]\n hooksPath = ${hooks}\n fsmonitor = ${hook}\n sshCommand = ${hook}\n` +
      ` attributesFile = ${tmp.base}/attributes\n autocrlf = true\n` +
      `[init]\n templateDir = ${tmp.base}/template\n` +
      `[filter "evil"]\n smudge = ${hook}\n process = ${hook}\n required = true\n` +
      `[protocol "ext"]\n allow = always\n`,
  );
  Deno.writeTextFileSync(join(tmp.base, "attributes"), "* filter=evil\n");
  const repo = join(tmp.base, "x.git");
  makeRepository(repo, [{
    files: { ".gitattributes": "* filter=evil\n", f: "1\n" },
  }]);
  const elsewhere = join(tmp.base, "elsewhere");
  makeRepository(elsewhere, [{ files: { g: "" } }]);
  const env: Record<string, string> = {
    GIT_CONFIG_GLOBAL: config,
    GIT_DIR: elsewhere,
    GIT_WORK_TREE: join(tmp.base, "wrong"),
    GIT_INDEX_FILE: join(tmp.base, "wrong-index"),
    GIT_OBJECT_DIRECTORY: join(tmp.base, "wrong-objects"),
    GIT_NAMESPACE: "wrong",
    GIT_TEMPLATE_DIR: join(tmp.base, "template"),
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.hooksPath",
    GIT_CONFIG_VALUE_0: hooks,
    GIT_TRACE: join(tmp.base, "trace"),
  };
  const module = new URL("../../../lib/host/git/mod.ts", import.meta.url).href;
  const output = await runElsewhere(module, request(tmp.base, repo), env);
  assert.equal(output.stderr, "");
  assert.equal(output.code, 0);
  assert.equal(Deno.readTextFileSync(join(tmp.base, "out/f")), "1\n");
  for (
    const name of ["marker", "wrong", "wrong-index", "wrong-objects", "trace"]
  ) {
    assert.ok(!exists(join(tmp.base, name)), name);
  }
});

async function runElsewhere(
  module: string,
  what: GitRequest,
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const output = await otherProcess(module, what, env).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    code: output.code,
    stdout: text(output.stdout),
    stderr: text(output.stderr),
  };
}

function otherProcess(
  module: string,
  what: GitRequest,
  env: Record<string, string>,
): Deno.ChildProcess {
  const script = `const { checkoutGit } = await import(${
    JSON.stringify(module)
  });
    console.log((await checkoutGit(${JSON.stringify(what)})).commit);`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", script],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

const gitModule = new URL("../../../lib/host/git/mod.ts", import.meta.url).href;

Deno.test("two processes at once get the same, from one cache", async () => {
  using tmp = temporary();
  const [commit] = makeRepository(join(tmp.base, "srv/x.git"), [
    { files: { f: "1" } },
  ]);
  await using daemon = await startGitDaemon(join(tmp.base, "srv"));
  const repo = `${daemon.url}/x.git`;
  const results = await Promise.all(
    ["o1", "o2"].map((name) =>
      runElsewhere(gitModule, {
        ...request(tmp.base, repo),
        into: join(tmp.base, name),
      })
    ),
  );
  for (const [i, result] of results.entries()) {
    assert.equal(result.stdout.trim(), commit, result.stderr);
    assert.equal(Deno.readTextFileSync(join(tmp.base, `o${i + 1}`, "f")), "1");
  }
});

Deno.test("kill -9 in a fetch ends git too, and the cache stays usable", async () => {
  using tmp = temporary();
  makeRepository(join(tmp.base, "srv/x.git"), [{ files: { f: "1" } }]);
  const asked = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  let hold = true;
  await using http = startGitHttp(join(tmp.base, "srv"), {
    async onRequest(path, held) {
      if (!hold || !path.endsWith("git-upload-pack")) return;
      held.signal.addEventListener("abort", () => gone.resolve());
      asked.resolve();
      // Until git's end of the connection is closed: only its death does that.
      await gone.promise;
    },
  });
  const what = request(tmp.base, `${http.url}/x.git`);
  const child = otherProcess(gitModule, what, {});
  await asked.promise;
  child.kill("SIGKILL");
  await child.output();
  await gone.promise;
  hold = false;
  await checkoutGit(what);
  assert.equal(Deno.readTextFileSync(join(tmp.base, "out/f")), "1");
});

Deno.test("submodules are checked out at their commits, nested ones too", async (t) => {
  using tmp = temporary();
  const srv = join(tmp.base, "srv");
  const [deep = ""] = makeRepository(join(srv, "deep.git"), [{
    files: { d: "d" },
  }]);
  const module = (path: string, url: string, more = "") =>
    `[submodule "${path}"]\n path = ${path}\n url = ${url}\n${more}`;
  const [mid = ""] = makeRepository(join(srv, "mid.git"), [{
    files: { m: "m", ".gitmodules": module("in/deep", "../deep.git") },
    gitlinks: { "in/deep": deep },
  }]);
  makeRepository(join(srv, "top.git"), [{
    files: { t: "t", ".gitmodules": module("third/mid", "../mid.git") },
    gitlinks: { "third/mid": mid },
  }]);
  await using http = startGitHttp(srv);
  const ask = { ...request(tmp.base, `${http.url}/top.git`), submodules: true };
  const result = await checkoutGit(ask);
  assert.deepEqual(result.submodules, [
    { path: "third/mid", commit: mid, url: `${http.url}/mid.git` },
    { path: "third/mid/in/deep", commit: deep, url: `${http.url}/deep.git` },
  ]);
  const out = (path: string) =>
    Deno.readTextFileSync(join(tmp.base, "out", path));
  assert.equal(out("third/mid/in/deep/d"), "d");
  assert.equal(out("third/mid/m"), "m");

  const marker = join(tmp.base, "marker");
  const bad: [string, string, string][] = [
    [
      "command",
      module("s", "../deep.git", ` update = !touch ${marker}\n`),
      "CLIBS_GIT_UNSAFE",
    ],
    ["local", module("s", join(srv, "deep.git")), "CLIBS_GIT_UNSAFE"],
    ["file-url", module("s", `file://${srv}/deep.git`), "CLIBS_GIT_UNSAFE"],
    ["ext", module("s", `ext::touch ${marker}`), "CLIBS_GIT_URL"],
    ["option", module("s", `--upload-pack=touch ${marker}`), "CLIBS_GIT_URL"],
    [
      "name",
      `[submodule "../../x"]\n path = s\n url = ../deep.git\n`,
      "CLIBS_GIT_UNSAFE",
    ],
    ["no-address", module("other", "../deep.git"), "CLIBS_GIT_UNSAFE"],
  ];
  for (const [name, text, code] of bad) {
    await t.step(name, async () => {
      makeRepository(join(srv, `${name}.git`), [{
        files: { ".gitmodules": text },
        gitlinks: { s: deep },
      }]);
      const into = join(tmp.base, `out-${name}`);
      const repo = `${http.url}/${name}.git`;
      const error = await failure(checkoutGit({ ...ask, repo, into }));
      assert.equal(error.code, code);
      assert.ok(!exists(marker));
      assert.ok(!exists(join(into, "s/d")));
      await checkoutGit({
        ...ask,
        repo,
        into: `${into}-without`,
        submodules: false,
      });
      assert.deepEqual([...Deno.readDirSync(`${into}-without/s`)], []);
    });
  }
});

Deno.test("git gets only the variables that are meant for it", () => {
  const inherited = {
    PATH: "/bin",
    GIT_DIR: "x",
    git_dir: "x",
    GIT_SSL_NO_VERIFY: "1",
    GIT_ALLOW_PROTOCOL: "ext",
    GIT_SSL_CAINFO: "/ca",
    GIT_SSH: "/my ssh",
  };
  const { env, options } = remoteSetting(
    parseGitAddress("https://u:p@h/x"),
    1000,
    inherited,
  );
  assert.equal(env.GIT_DIR ?? env.git_dir ?? env.GIT_SSL_NO_VERIFY, undefined);
  assert.equal(env.GIT_SSL_CAINFO, "/ca");
  assert.equal(env.GIT_SSH_COMMAND, "'/my ssh'");
  // No http: a redirect from https to http is refused by git.
  assert.equal(env.GIT_ALLOW_PROTOCOL, "https:ssh:file");
  assert.equal(env.GIT_TERMINAL_PROMPT, "0");
  assert.ok(!options.join(" ").includes("password=p"));
  const local = localSetting("/g", { ...inherited, HOME: "/home/me" }).env;
  assert.equal(local.HOME, "/g");
  assert.equal(local.GIT_CONFIG_GLOBAL, "/dev/null");
  assert.equal(local.GIT_SSL_CAINFO, undefined);
});
