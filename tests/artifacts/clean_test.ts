/** What keeps a path from being removed: excludes and git, in their odd forms. */

import { deepEqual, equal } from "node:assert/strict";
import { clean } from "../../lib/artifacts/clean.ts";
import { run } from "../support/engines.ts";
import { TempDir } from "../support/temp.ts";

const excludes: [string, (dir: TempDir, other: TempDir) => string][] = [
  ["relative", () => "real/a.o"],
  ["with dots", () => "x/../real/./a.o"],
  ["absolute", (dir) => dir.join("real/a.o")],
  ["a folder", () => "real"],
  ["through a link in the project", () => "link/a.o"],
  ["a link to the folder", () => "link"],
  ["through a link to the project", (_, other) => other.join("p/real/a.o")],
  ["through both", (_, other) => other.join("p/link/a.o")],
];

Deno.test("clean() keeps what an exclude means, by whichever path", async (t) => {
  for (const [name, exclude] of excludes) {
    await t.step(name, async () => {
      using dir = new TempDir();
      using other = new TempDir();
      dir.write({ "real/a.o": "keep", "b.o": "x" });
      Deno.symlinkSync("real", dir.join("link"));
      Deno.symlinkSync(dir.path, other.join("p"));
      const result = await clean({
        root: dir.path,
        paths: [dir.join("real/a.o"), dir.join("b.o")],
        exclude: [exclude(dir, other)],
        dryRun: false,
      });
      deepEqual(result.removed, ["b.o"]);
      deepEqual(result.skipped, [{ path: "real/a.o", reason: "excluded" }]);
      equal(dir.read("real/a.o"), "keep");
    });
  }
});

Deno.test("clean() removes an excluded link's neighbours only", async () => {
  using dir = new TempDir();
  using other = new TempDir();
  other.write({ "a.o": "keep" });
  Deno.symlinkSync(other.join("a.o"), dir.join("a.o"));
  Deno.symlinkSync(other.join("a.o"), dir.join("b.o"));
  const result = await clean({
    root: dir.path,
    paths: [dir.join("a.o"), dir.join("b.o")],
    exclude: ["a.o"],
    dryRun: false,
  });
  deepEqual(result.removed, ["b.o"]);
  deepEqual([dir.has("a.o"), other.read("a.o")], [true, "keep"]);
});

function repository(dir: TempDir, folder = "."): void {
  run("git", ["init", "-q", folder], dir.path);
  run("git", ["-C", folder, "add", "."], dir.path);
}

async function cleaned(dir: TempDir, root: string, paths: string[]) {
  const { removed, skipped } = await clean({
    root: dir.join(root),
    paths: paths.map((path) => dir.join(path)),
    dryRun: false,
  });
  return { removed, skipped };
}

Deno.test("clean() keeps what git tracks in a work tree around the project", async () => {
  using dir = new TempDir();
  dir.write({ "app/a.o": "x", "b.o": "x" });
  repository(dir);
  dir.write({ "app/new.o": "x" });
  deepEqual(await cleaned(dir, "app", ["app/a.o", "app/new.o"]), {
    removed: ["new.o"],
    skipped: [{ path: "a.o", reason: "tracked by git" }],
  });
});

Deno.test("clean() keeps what git tracks in a work tree of its own", async () => {
  using dir = new TempDir();
  dir.write({ "engines/a.o": "x", "build/clone/main.c": "x" });
  repository(dir, "engines");
  repository(dir, "build/clone");
  dir.write({ ".gitignore": "*\n", "engines/new.o": "x" });
  run("git", ["init", "-q"], dir.path);
  // A clone inside of what goes is a part of it.
  deepEqual(
    await cleaned(dir, ".", ["engines/a.o", "engines/new.o", "build"]),
    {
      removed: ["build", "engines/new.o"],
      skipped: [{ path: "engines/a.o", reason: "tracked by git" }],
    },
  );
});

Deno.test("clean() asks the project's git, also in a hook of another", async () => {
  using dir = new TempDir();
  dir.write({ "a.o": "x" });
  repository(dir);
  const variables = ["GIT_INDEX_FILE", "GIT_DIR", "GIT_WORK_TREE"];
  const before = variables.map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const name of variables) Deno.env.set(name, dir.join("none"));
    deepEqual(await cleaned(dir, ".", ["a.o"]), {
      removed: [],
      skipped: [{ path: "a.o", reason: "tracked by git" }],
    });
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
});

Deno.test("clean() keeps everything if git does not tell", async () => {
  using dir = new TempDir();
  dir.write({ ".git": "gitdir: nowhere\n", "a.o": "x" });
  deepEqual(await cleaned(dir, ".", ["a.o"]), {
    removed: [],
    skipped: [{
      path: "a.o",
      reason: `git cannot tell: fatal: not a git repository: ${
        dir.join("nowhere")
      }`,
    }],
  });
});

Deno.test("clean() goes on after a path that it cannot read", async () => {
  using dir = new TempDir();
  dir.write({ "a.o": "x", "b.o": "x" });
  const { removed, skipped } = await clean({
    root: dir.path,
    paths: [dir.join("a.o"), dir.join("b.o")],
    dryRun: false,
    inUse(path) {
      if (path.endsWith("a.o")) throw new Error("no");
      return undefined;
    },
  });
  deepEqual(removed, ["b.o"]);
  deepEqual(skipped, [{ path: "a.o", reason: "no" }]);
});
