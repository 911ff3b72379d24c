import assert from "node:assert/strict";
import { join } from "node:path";
import { ClibsError } from "../../../lib/errors.ts";
import { FeedbackBus, type FeedbackEvent } from "../../../lib/feedback/bus.ts";
import {
  checkoutGit,
  type GitRequest,
  latestGitTag,
  resolveGitRef,
} from "../../../lib/host/git/mod.ts";
import {
  git,
  makeRepository,
  startGitDaemon,
  startGitHttp,
} from "../../support/git_server.ts";

interface Bench extends Disposable {
  base: string;
  fetch(
    more: Partial<GitRequest> & { repo: string; ref: string },
  ): Promise<
    Awaited<ReturnType<typeof checkoutGit>> & {
      into: string;
      events: FeedbackEvent[];
    }
  >;
}

function bench(): Bench {
  const base = Deno.makeTempDirSync({ prefix: "clibs-git-" });
  let count = 0;
  return {
    base,
    async fetch(more) {
      const events: FeedbackEvent[] = [];
      const bus = new FeedbackBus();
      bus.subscribe((event) => events.push(event));
      const into = join(base, `out${++count}`);
      const result = await checkoutGit({
        what: "lib",
        asked: "lib/pkg.yaml:6",
        submodules: false,
        into,
        cache: join(base, "cache"),
        feedback: bus,
        ...more,
      });
      return { ...result, into, events };
    },
    [Symbol.dispose]: () => Deno.removeSync(base, { recursive: true }),
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

const read = (...parts: string[]) => Deno.readTextFileSync(join(...parts));

function makeLibrary(base: string): string[] {
  return makeRepository(join(base, "srv/lib.git"), [
    { files: { "a.c": "1" }, tags: ["v1.0"], branches: ["old"] },
    { files: { "a.c": "2" } },
    {
      files: {
        "a.c": "3",
        "configure": { exec: "#!/bin/sh\n" },
        "sub/link": { link: "../a.c" },
      },
      annotated: ["v1.1"],
      time: 1500000000,
    },
  ]);
}

Deno.test("checkoutGit() finds every kind of ref, over every transport", async (t) => {
  using b = bench();
  const [first = "", second = "", third = ""] = makeLibrary(b.base);
  const work = join(b.base, "srv/lib.git.work");
  git(work, "checkout", "--quiet", "--detach");
  Deno.writeTextFileSync(join(work, "a.c"), "lost");
  git(work, "commit", "--quiet", "--all", "--message=lost");
  const lost = git(work, "rev-parse", "HEAD");
  // Reachable from refs/lost only, which no plain fetch asks for.
  git(work, "push", "--quiet", "../lib.git", "HEAD:refs/lost/x");
  await using daemon = await startGitDaemon(join(b.base, "srv"));
  await using http = startGitHttp(join(b.base, "srv"));
  await using v0 = startGitHttp(join(b.base, "srv"), { protocol2: false });
  await using dumb = startGitHttp(join(b.base, "srv"), { dumb: true });
  const local = join(b.base, "srv");
  const cases: [string, string, string, string][] = [
    ["main", third, "branch", "3"],
    ["old", first, "branch", "1"],
    ["refs/heads/old", first, "branch", "1"],
    ["HEAD", third, "branch", "3"],
    ["v1.0", first, "tag", "1"],
    ["v1.1", third, "tag", "3"],
    [second, second, "commit", "2"],
    [second.slice(0, 9), second, "commit", "2"],
    [second.slice(0, 9).toUpperCase(), second, "commit", "2"],
  ];
  const servers = {
    daemon: daemon.url,
    http: http.url,
    v0: v0.url,
    dumb: dumb.url,
    path: local,
    file: `file://${local}`,
  };
  for (const [kind, url] of Object.entries(servers)) {
    for (const [i, [ref, commit, refKind, text]] of cases.entries()) {
      // Everything with the two real servers, a part of it with the others.
      if (!["http", "v0"].includes(kind) && ![0, 5, 7].includes(i)) continue;
      await t.step(`${kind} ${ref}`, async () => {
        const got = await b.fetch({
          repo: `${url}/lib.git`,
          ref,
          cache: join(b.base, `cache-${kind}-${i}`),
        });
        assert.deepEqual([got.commit, got.refKind, got.ref], [
          commit,
          refKind,
          ref,
        ]);
        assert.equal(read(got.into, "a.c"), text);
        assert.throws(() => Deno.lstatSync(join(got.into, ".git")));
      });
    }
  }
  await t.step("a commit that no branch or tag leads to", async () => {
    const got = await b.fetch({ repo: `${http.url}/lib.git`, ref: lost });
    assert.equal(read(got.into, "a.c"), "lost");
  });
});

Deno.test("checkoutGit() keeps modes, links and one date for all", async () => {
  using b = bench();
  makeLibrary(b.base);
  const { into } = await b.fetch({
    repo: join(b.base, "srv/lib.git"),
    ref: "v1.1",
  });
  assert.equal(
    (Deno.statSync(join(into, "configure")).mode ?? 0) & 0o111,
    0o111,
  );
  assert.equal((Deno.statSync(join(into, "a.c")).mode ?? 0) & 0o111, 0);
  assert.equal(Deno.readLinkSync(join(into, "sub/link")), "../a.c");
  for (const path of ["a.c", "configure", "sub", "sub/link", "."]) {
    assert.equal(
      Deno.lstatSync(join(into, path)).mtime?.getTime(),
      1500000000_000,
      path,
    );
  }
});

Deno.test("checkoutGit() fetches shallow, and asks nobody for a known commit", async () => {
  using b = bench();
  const [first = "", , third = ""] = makeLibrary(b.base);
  let requests = 0;
  await using http = startGitHttp(join(b.base, "srv"), {
    onRequest: () => void requests++,
  });
  const repo = `${http.url}/lib.git`;
  await b.fetch({ repo, ref: "v1.1" });
  const [bare] = [...Deno.readDirSync(join(b.base, "cache/git-v1"))]
    .filter(({ isDirectory }) => isDirectory);
  const dir = join(b.base, "cache/git-v1", bare?.name ?? "");
  assert.equal(read(dir, "shallow").trim(), third);
  assert.ok(!read(dir, "config").includes("127.0.0.1"));
  const before = requests;
  await b.fetch({ repo, ref: "v1.1", commit: third });
  await b.fetch({ repo, ref: third });
  const offline = await b.fetch({ repo, ref: "v1.1", offline: true });
  assert.deepEqual([offline.commit, offline.refKind], [third, "tag"]);
  assert.equal(requests, before);
  const error = await failure(b.fetch({ repo, ref: first, offline: true }));
  assert.deepEqual(error.toJSON(), {
    code: "CLIBS_OFFLINE",
    message:
      `Cannot fetch lib: git ref "${first}" is not in the cache, and clibs is offline`,
    facts: { repo, asked: "lib/pkg.yaml:6" },
    hint: "run the command again without --offline",
  });
  assert.equal(requests, before);
});

Deno.test("checkoutGit() uses the locked commit though its tag moved", async (t) => {
  using b = bench();
  const [first = "", second = ""] = makeLibrary(b.base);
  const repo = join(b.base, "srv/lib.git");
  git(repo, "tag", "--force", "v1.0", second);
  const moved = await b.fetch({ repo, ref: "v1.0", commit: first });
  assert.equal(moved.commit, first);
  assert.equal(read(moved.into, "a.c"), "1");
  assert.deepEqual(
    await resolveGitRef({ what: "lib", repo, ref: "v1.0", cache: b.base }),
    { commit: second, refKind: "tag" },
  );
  await t.step("and says so when it is gone", async () => {
    const gone = "0123456789012345678901234567890123456789";
    const error = await failure(b.fetch({ repo, ref: "v1.0", commit: gone }));
    assert.deepEqual(error.toJSON(), {
      code: "CLIBS_GIT_COMMIT",
      message:
        "Cannot fetch lib: the locked commit is not in the repository any more",
      facts: { repo, asked: "lib/pkg.yaml:6", ref: "v1.0", commit: gone },
      hint: "lock what the ref stands for now with `clibs update lib`",
    });
  });
});

Deno.test("checkoutGit() takes the branch of two, as git clone does, and warns", async () => {
  using b = bench();
  const repo = join(b.base, "srv/x.git");
  const [, second] = makeRepository(repo, [
    { files: { f: "tag" }, tags: ["same"] },
    { files: { f: "branch" }, branches: ["same"] },
  ]);
  const got = await b.fetch({ repo, ref: "same" });
  assert.deepEqual([got.commit, got.refKind], [second, "branch"]);
  const note = got.events.find((event) => event.code === "note");
  assert.equal(note?.level, "warn");
  assert.equal(note?.fields.about, "git.ambiguous");
  const tag = await b.fetch({ repo, ref: "refs/tags/same" });
  assert.equal(read(tag.into, "f"), "tag");
});

Deno.test("checkoutGit() names the nearest ref", async () => {
  using b = bench();
  makeRepository(join(b.base, "srv/bdwgc.git"), [
    { files: { f: "" }, tags: ["v8.2.4", "v8.2.8", "v7.0"] },
  ]);
  await using http = startGitHttp(join(b.base, "srv"));
  const repo = http.url.replace("//", "//me:secret@") + "/bdwgc.git";
  const error = await failure(b.fetch({
    what: "bdwgc",
    asked: "bdwgc/pkg.yaml:6",
    repo,
    ref: "v8.2.9",
  }));
  assert.deepEqual(error.toJSON(), {
    code: "CLIBS_GIT_REF",
    message: 'Cannot fetch bdwgc: git ref "v8.2.9" is not in the repository',
    facts: {
      repo: `${http.url}/bdwgc.git`,
      asked: "bdwgc/pkg.yaml:6",
      nearest: "v8.2.8",
    },
    hint: "set `ref: v8.2.8` in bdwgc/pkg.yaml",
  });
});

Deno.test("checkoutGit() sends a password of the address, and never shows or stores it", async (t) => {
  using b = bench();
  makeLibrary(b.base);
  await using http = startGitHttp(join(b.base, "srv"), { auth: "me:s3cr@t" });
  const repo = `${http.url.replace("//", "//me:s3cr%40t@")}/lib.git`;
  const got = await b.fetch({ repo, ref: "v1.1" });
  assert.ok(!JSON.stringify(got).includes("s3cr"));
  const note = got.events.find((event) => event.code === "note");
  assert.equal(note?.fields.about, "git.insecure");
  const { stdout } = await new Deno.Command("grep", {
    args: ["-r", "s3cr", join(b.base, "cache")],
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "");
  await t.step("a wrong one", async () => {
    const wrong = repo.replace("s3cr", "wr0ng");
    const error = await failure(
      b.fetch({ repo: wrong, ref: "v1.1", cache: join(b.base, "c2") }),
    );
    assert.equal(error.code, "CLIBS_GIT_AUTH");
    assert.equal(
      error.message,
      "Cannot fetch lib: the git server asks for credentials",
    );
    assert.equal(
      error.hint,
      `check that \`git ls-remote ${http.url}/lib.git\` works`,
    );
    assert.ok(!JSON.stringify(error).includes("wr0ng"));
  });
});

Deno.test("checkoutGit() tells what git said of a server that fails", async () => {
  using b = bench();
  const repo = join(b.base, "nothing-here");
  const error = await failure(b.fetch({ repo, ref: "main" }));
  assert.deepEqual(
    [error.code, error.message, error.hint],
    [
      "CLIBS_GIT_FETCH",
      "Cannot fetch lib: git failed",
      `check that \`git ls-remote ${repo}\` works`,
    ],
  );
  assert.match(error.facts.git ?? "", /does not appear to be a git repository/);
});

Deno.test("checkoutGit() gives up on a silent server", async () => {
  using b = bench();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const repo = `git://127.0.0.1:${port}/lib.git`;
  const error = await failure(b.fetch({ repo, ref: "main", stallMs: 300 }));
  assert.deepEqual(error.toJSON(), {
    code: "CLIBS_GIT_STALL",
    message: "Cannot fetch lib: the git server was silent for 0.3 s",
    facts: { repo, asked: "lib/pkg.yaml:6" },
    hint: "run the command again; clibs keeps what it has",
  });
});

Deno.test("checkoutGit() stops at its signal", async () => {
  using b = bench();
  makeLibrary(b.base);
  const stop = new AbortController();
  const held = Promise.withResolvers<void>();
  await using http = startGitHttp(join(b.base, "srv"), {
    onRequest() {
      stop.abort();
      return held.promise;
    },
  });
  const repo = `${http.url}/lib.git`;
  const error = await failure(
    b.fetch({ repo, ref: "main", signal: stop.signal }),
  );
  held.resolve();
  assert.equal(error.code, "CLIBS_CANCELLED");
});

Deno.test("checkoutGit() makes a damaged cache anew", async (t) => {
  using b = bench();
  const [, second = "", third = ""] = makeLibrary(b.base);
  const repo = join(b.base, "srv/lib.git");
  await b.fetch({ repo, ref: third });
  const root = join(b.base, "cache/git-v1");
  const bare = join(
    root,
    [...Deno.readDirSync(root)].find((e) => e.isDirectory)?.name ?? "",
  );
  const damages: [string, () => void][] = [
    ["no HEAD", () => Deno.removeSync(join(bare, "HEAD"))],
    ["no objects", () => {
      Deno.removeSync(join(bare, "objects"), { recursive: true });
      Deno.mkdirSync(join(bare, "objects"));
    }],
    ["left-over locks", () => {
      Deno.mkdirSync(join(bare, "objects/pack"), { recursive: true });
      Deno.writeTextFileSync(join(bare, "shallow.lock"), "");
      Deno.writeTextFileSync(join(bare, "objects/pack/tmp_pack_x"), "");
      Deno.writeTextFileSync(join(bare, "HEAD.lock"), "");
    }],
  ];
  for (const [name, damage] of damages) {
    await t.step(name, async () => {
      damage();
      const got = await b.fetch({ repo, ref: "main" });
      assert.equal(read(got.into, "a.c"), "3");
      const other = await b.fetch({ repo, ref: "v1.0" });
      assert.equal(read(other.into, "a.c"), "1");
      if (name !== "left-over locks") return;
      const fetched = await b.fetch({ repo, ref: second });
      assert.equal(read(fetched.into, "a.c"), "2");
    });
  }
});

Deno.test("checkoutGit() leaves LFS pointers as they are, and warns", async () => {
  using b = bench();
  const pointer = "version https://git-lfs.github.com/spec/v1\n" +
    `oid sha256:${"0".repeat(64)}\nsize 12345\n`;
  const repo = join(b.base, "srv/x.git");
  makeRepository(repo, [
    { files: { ".gitattributes": "*.bin filter=lfs\n", "a.bin": pointer } },
  ]);
  const got = await b.fetch({ repo, ref: "main" });
  assert.equal(read(got.into, "a.bin"), pointer);
  const note = got.events.find((event) => event.code === "note");
  assert.equal(note?.fields.about, "git.lfs");
});

Deno.test("latestGitTag() finds the newest release", async () => {
  using b = bench();
  const repo = join(b.base, "srv/x.git");
  const [commit] = makeRepository(repo, [
    { files: { f: "" }, tags: ["v1.9", "v1.10", "v1.10-rc2", "20300101"] },
  ]);
  assert.deepEqual(await latestGitTag(repo), { tag: "v1.10", commit });
});

Deno.test("checkoutGit() says when there is no git", async () => {
  using b = bench();
  const path = Deno.env.get("PATH") ?? "";
  Deno.env.set("PATH", b.base);
  try {
    const error = await failure(b.fetch({ repo: b.base, ref: "main" }));
    assert.deepEqual(error.toJSON(), {
      code: "CLIBS_TOOL_MISSING",
      message: "Cannot run git: it is not on PATH",
      facts: {},
      hint: "apt-get install git",
    });
  } finally {
    Deno.env.set("PATH", path);
  }
});

Deno.test("checkoutGit() handles repositories with SHA-256 ids", async () => {
  using b = bench();
  const repo = join(b.base, "x");
  Deno.mkdirSync(repo);
  git(
    repo,
    "init",
    "--quiet",
    "--object-format=sha256",
    "--initial-branch=main",
  );
  Deno.writeTextFileSync(join(repo, "f"), "1");
  git(repo, "add", "f");
  git(repo, "commit", "--quiet", "--message=x");
  const got = await b.fetch({ repo, ref: "main" });
  assert.equal(got.commit.length, 64);
  assert.equal(read(got.into, "f"), "1");
});
