import { deepEqual, rejects, throws } from "node:assert/strict";
import { discoverPackages } from "../../lib/packages/discover.ts";
import { loadGraph } from "../../lib/packages/graph.ts";
import { packageYaml, TARGET } from "../support/packages.ts";
import { TempDir } from "../support/temp.ts";

function space(packages: Record<string, string>): TempDir {
  const dir = new TempDir();
  for (const [name, more] of Object.entries(packages)) {
    dir.write({ [`${name}/pkg.yaml`]: packageYaml("true", more) });
  }
  return dir;
}

async function order(dir: TempDir, names: string[]): Promise<string[]> {
  const nodes = await loadGraph(names.map((name) => dir.join(name)), TARGET);
  return nodes.map((node) => node.name);
}

Deno.test("loadGraph() orders packages after their deps, wherever those are", async () => {
  using dir = space({
    app: "deps: [png, ../far/away/gz]\n",
    png: "name: png\ndeps: [zlib]\n",
    zlib: "",
    "far/away/gz": "",
  });
  deepEqual(await order(dir, ["app"]), ["zlib", "png", "gz", "app"]);
});

Deno.test("loadGraph() finds a dep by its name, not its folder's", async () => {
  using dir = space({ app: "deps: [z]\n", "zlib-1.3": "name: z\n" });
  deepEqual(await order(dir, ["app"]), ["z", "app"]);
});

Deno.test("loadGraph() names a cycle", async () => {
  using dir = space({ a: "deps: [b]\n", b: "deps: [c]\n", c: "deps: [a]\n" });
  await rejects(order(dir, ["a"]), {
    code: "CLIBS_DEP_CYCLE",
    message: "Cannot order the packages: a -> b -> c -> a is a cycle",
    facts: {
      a: dir.join("a/pkg.yaml"),
      b: dir.join("b/pkg.yaml"),
      c: dir.join("c/pkg.yaml"),
    },
    hint: "remove one of these deps",
  });
});

Deno.test("loadGraph() names a package that needs itself", async () => {
  using dir = space({ a: "deps: [../a]\n" });
  await rejects(order(dir, ["a"]), {
    message: "Cannot order the packages: a -> a is a cycle",
  });
});

Deno.test("loadGraph() names a missing dep and the nearest name", async () => {
  using dir = space({ app: "deps: [zlb]\n", zlib: "" });
  const file = dir.join("app/pkg.yaml");
  await rejects(order(dir, ["app"]), {
    code: "CLIBS_DEP_MISSING",
    message: 'Cannot build app: there is no package for its dep "zlb"',
    facts: { asked: `${file}:2:8`, nearest: "zlib" },
    hint: 'write "zlib" there',
  });
});

Deno.test("loadGraph() names two packages of one name", async () => {
  using dir = space({ a: "name: x\n", b: "name: x\n" });
  await rejects(order(dir, ["a", "b"]), {
    code: "CLIBS_NAME_CLASH",
    message: "Cannot build two packages of one name: x",
    facts: { first: dir.join("a"), second: dir.join("b") },
    hint: "set a different `name:` in one of the two pkg.yaml",
  });
});

Deno.test("discoverPackages() looks below, but not into what clibs writes", () => {
  using dir = space({
    "a": "",
    "a/deps/b": "",
    "a/_download/c": "",
    ".hidden/d": "",
    "node_modules/e": "",
  });
  Deno.symlinkSync(dir.join("a"), dir.join("link"));
  deepEqual(discoverPackages([dir.path]), [
    dir.join("a"),
    dir.join("a/deps/b"),
  ]);
  deepEqual(discoverPackages([dir.join("a/pkg.yaml")]), [dir.join("a")]);
});

Deno.test("discoverPackages() says that there is nothing", () => {
  using dir = new TempDir();
  throws(() => discoverPackages([dir.path]), {
    code: "CLIBS_PKG_MISSING",
    message: `Cannot find a package: no pkg.yaml at or below ${dir.path}`,
    hint: "run `clibs init URL` to write one, or name another folder",
  });
});

Deno.test("a pipe or a huge file under the name pkg.yaml is refused at once", async () => {
  using dir = new TempDir();
  dir.write({ "huge/pkg.yaml": "", "pipe/x": "" });
  Deno.truncateSync(dir.join("huge/pkg.yaml"), 50 * 2 ** 30);
  new Deno.Command("mkfifo", { args: [dir.join("pipe/pkg.yaml")] })
    .outputSync();
  await rejects(order(dir, ["huge"]), {
    code: "CLIBS_PKG_TOO_LARGE",
    message: "Cannot read huge/pkg.yaml: it has more than 1048576 bytes",
  });
  await rejects(order(dir, ["pipe"]), { code: "CLIBS_PKG_MISSING" });
});
