/** The two examples of the design, in their own form. */

import { equal, match, ok } from "node:assert/strict";
import { repositoryFromTree, startGitHttp } from "../support/git_server.ts";
import { serveFolder } from "../support/http_server.ts";
import { Session } from "../support/session.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";
import { unpack, upstream } from "../support/upstream.ts";

const ignore = !has("apt-get") || !has("cmake");

Deno.test({
  name: "bdwgc builds from a git server",
  ignore,
  async fn() {
    using sources = new TempDir();
    const { path, version } = await upstream("libgc");
    const tree = unpack(path, sources.join("bdwgc"));
    repositoryFromTree(tree, sources.join("bdwgc.git"), `v${version}`);
    await using server = startGitHttp(sources.path);
    using session = new Session({
      "bdwgc/pkg.yaml": `version: "${version}"
git:
  repo: "${server.url}/bdwgc.git"
  ref: "v${version}"
build:
  command: "mkdir -p out && cd out && cmake -Dbuild_tests=OFF -DCMAKE_INSTALL_PREFIX=$CLIBS_BUILD_DIR .. && cmake --build . && cmake --install ."
`,
      "use.c": `#include <gc.h>
#include <stdio.h>
int main(void) {
  GC_INIT();
  for (int i = 0; i < 1000000; i++) GC_MALLOC(64);
  puts(GC_get_heap_size() < 32000000 ? "collected" : "leaked");
}
`,
    });
    match(await session.ok("build"), /^bdwgc .* built in .*: never built\n$/);
    session.dir.write({ "env.sh": await session.ok("env") });
    equal(
      await session.bash(". ./env.sh; cc use.c -lgc -o use; ./use"),
      "collected\n",
    );
    match(await session.ok("build", "--offline"), /up to date\n$/);
    const lock = JSON.parse(session.dir.read("bdwgc/pkg.lock.json"));
    match(lock.git.commit, /^[0-9a-f]{40}$/);
    ok(!session.dir.has("bdwgc/_download/.git"));
  },
});

Deno.test({
  name: "zlib builds from a tarball over HTTP",
  ignore,
  async fn() {
    using sources = new TempDir();
    const { path, name, version } = await upstream("zlib");
    Deno.copyFileSync(path, sources.join(name));
    sources.write({ "zlib1.rc": "" });
    await using server = serveFolder(sources.path);
    const yaml = `version: "${version}"
files:
  - url: "${server.url}/${name}"
    filename: "${name}"
    extract: true
  # Debian's tarball lacks this file, and its CMakeLists.txt wants it.
  - url: "${server.url}/zlib1.rc"
    dir: win32
build:
  command: "mkdir -p out && cd out && cmake -DCMAKE_INSTALL_PREFIX=$CLIBS_BUILD_DIR .. && make && make install"
`;
    using session = new Session({
      "zlib/pkg.yaml": yaml,
      "use.c": `#include <zlib.h>
#include <stdio.h>
int main(void) { puts(zlibVersion()); }
`,
    });
    match(await session.ok("build"), /^zlib .* built in .*: never built\n$/);
    session.dir.write({ "env.sh": await session.ok("env") });
    equal(
      await session.bash(". ./env.sh; cc use.c -lz -o use; ./use"),
      `${version}\n`,
    );
    equal(server.requests.length, 2);
    match(await session.ok("build"), /up to date\n$/);
    // An edit of the description fetches and builds again, from the cache.
    session.dir.write({ "zlib/pkg.yaml": `${yaml}  env: { X: 1 }\n` });
    match(await session.ok("build"), /built in .*: pkg.yaml changed\n$/);
    equal(server.requests.length, 2);
  },
});
