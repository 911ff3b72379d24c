/** Sessions of a user, with the texts that the user sees. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { cliArgs, NEUTRAL } from "../support/cli.ts";
import { serveFolder } from "../support/http_server.ts";
import { repositoryFromTree, startGitDaemon } from "../support/git_server.ts";
import { Session } from "../support/session.ts";
import { TempDir } from "../support/temp.ts";

const HOST = "x86_64-linux-gnu";

const greet = {
  "greet/pkg.yaml": `version: "2.1"
build:
  command: |
    mkdir -p "$CLIBS_BUILD_DIR/lib/pkgconfig" "$CLIBS_BUILD_DIR/include"
    cc -c "$CLIBS_PACKAGE_DIR/greet.c" -o greet.o
    ar rcD "$CLIBS_BUILD_DIR/lib/libgreet.a" greet.o
    cp "$CLIBS_PACKAGE_DIR/greet.h" "$CLIBS_BUILD_DIR/include/"
export: |
  echo "GREET_LIBS=-L$CLIBS_LIB_DIR/lib -lgreet"
  echo "GREET_NOTE=it's fine"
`,
  "greet/greet.c": 'const char *greet(void) { return "hello"; }\n',
  "greet/greet.h": "const char *greet(void);\n",
  "app/pkg.yaml": `name: hello
version: "0.1"
deps: [greet]
build:
  command: cc "$CLIBS_PACKAGE_DIR/main.c" -lgreet -o "$CLIBS_BUILD_DIR/hello"
`,
  "app/main.c":
    "#include <greet.h>\n#include <stdio.h>\nint main(void) { puts(greet()); }\n",
};

Deno.test("a first session: list, status, build, run, status", async () => {
  using session = new Session(greet);
  equal(
    await session.ok("list"),
    `hello  0.1  own files  app    needs greet
greet  2.1  own files  greet
`,
  );
  equal(
    await session.ok("status"),
    `greet  2.1  ${HOST}  to build: never built
hello  0.1  ${HOST}  to build: never built
`,
  );
  const first = await session.clibs("build");
  equal(first.code, 0);
  equal(
    session.neutral(first.stdout),
    `greet  2.1  ${HOST}  built in TIME: never built
hello  0.1  ${HOST}  built in TIME: never built
`,
  );
  equal(
    session.neutral(first.stderr),
    `build greet ...
build greet (TIME)
build hello ...
build hello (TIME)
`,
  );
  equal(await session.bash(`app/_build/${HOST}/hello`), "hello\n");
  const again = await session.clibs("build");
  equal(
    again.stdout,
    `greet  2.1  ${HOST}  up to date
hello  0.1  ${HOST}  up to date
`,
  );
  equal(again.stderr, "");
  session.dir.write({
    "greet/greet.c": 'const char *greet(void) { return "bonjour"; }\n',
  });
  equal(
    await session.ok("status"),
    `greet  2.1  ${HOST}  to build: a file of the package folder changed
hello  0.1  ${HOST}  to build: its dep greet is out of date
`,
  );
  await session.ok("build", "app");
  equal(await session.bash(`app/_build/${HOST}/hello`), "bonjour\n");
});

Deno.test("build --json gives one document of the promised form", async () => {
  using session = new Session(greet);
  const document = JSON.parse(await session.ok("build", "--json"));
  deepEqual(Object.keys(document), ["version", "packages"]);
  equal(document.version, 1);
  const [result] = document.packages;
  deepEqual({ ...result, durationMs: 0 }, {
    name: "greet",
    version: "2.1",
    target: HOST,
    dir: session.dir.join("greet/_build", HOST),
    libDir: session.dir.join("greet/_build", HOST, "lib"),
    includeDir: session.dir.join("greet/_build", HOST, "include"),
    origin: "build",
    status: "built",
    reason: "never built",
    durationMs: 0,
    log: session.dir.join(`greet/_build/${HOST}.log`),
  });
  ok(result.durationMs > 0);
});

Deno.test("a failure is in the JSON document too, and exits with 1", async () => {
  using session = new Session({
    "bad/pkg.yaml": 'version: "1"\nbuild: { command: exit 7 }\n',
  });
  const { code, stdout } = await session.clibs("build", "--json");
  equal(code, 1);
  const [result] = JSON.parse(stdout).packages;
  equal(result.status, "failed");
  equal(result.error.code, "CLIBS_BUILD_COMMAND");
  equal(
    result.reason,
    `Cannot build bad for ${HOST}: the build command failed with exit code 7`,
  );
});

Deno.test("the failure card, in full", async () => {
  using session = new Session({
    "bad/pkg.yaml": `version: "1"
build:
  command: cc -c "$CLIBS_PACKAGE_DIR/bad.c"
`,
    "bad/bad.c": "int main(void) { return x; }\n",
  });
  const { code, stdout, stderr } = await session.clibs("build");
  equal(code, 1);
  equal(stdout, `bad  1  ${HOST}  failed\n`);
  const text = session.neutral(stderr);
  match(
    text,
    /^build bad \.\.\.\nbuild bad: failed \(TIME\)\nerror: Cannot build bad for x86_64-linux-gnu: the build command failed with exit code 1\n {2}command {6}cc -c "\$CLIBS_PACKAGE_DIR\/bad\.c"\n {2}first error {2}DIR\/bad\/bad\.c:1:25: error: /,
  );
  match(
    text,
    /\n {2}log {10}DIR\/bad\/_build\/x86_64-linux-gnu\.log\nhint: run it again by hand with: bash DIR\/bad\/_work\/x86_64-linux-gnu\.rerun\.sh\nmore: clibs explain CLIBS_BUILD_COMMAND\n$/,
  );
});

Deno.test("env and export speak every shell's language", async (t) => {
  using session = new Session(greet);
  await t.step("but only of what is built", async () => {
    const { code, stderr } = await session.clibs("env", "greet");
    equal(code, 1);
    equal(
      stderr,
      `error: Cannot use greet: not up to date
  greet  never built
hint: run \`clibs build greet\`
more: clibs explain CLIBS_NOT_BUILT
`,
    );
  });
  await session.ok("build");
  const tree = session.dir.join("greet/_build", HOST);
  await t.step("a shell finds header and library", async () => {
    session.dir.write({ "env.sh": await session.ok("env", "greet") });
    const out = await session.bash(
      `. ./env.sh; test "$CLIBS_LIB_DIR" = ${tree}
test "$CLIBS_INCLUDE_DIR" = ${tree}/include
cc app/main.c -lgreet -o use; ./use`,
    );
    equal(out, "hello\n");
  });
  await t.step("a path that is set already comes after", async () => {
    const out = await session.bash(
      `CPATH=/mine ${Deno.execPath()} run -A --no-check ${
        new URL("../../main.ts", import.meta.url).pathname
      } env greet --format dotenv | grep ^CPATH=`,
    );
    equal(out, `CPATH=${tree}/include:/mine\n`);
  });
  const formats: [string, string][] = [
    ["shell", `export GREET_NOTE='it'\\''s fine'\n`],
    ["fish", `set -gx GREET_NOTE 'it\\'s fine'\n`],
    ["dotenv", `GREET_NOTE="it's fine"\n`],
    ["github", `GREET_NOTE=it's fine\n`],
  ];
  for (const [format, line] of formats) {
    await t.step(format, async () => {
      const out = await session.ok("export", "greet", "--format", format);
      ok(out.endsWith(line), out);
      ok(out.includes(`-L${tree}/lib -lgreet`));
    });
  }
  await t.step("json", async () => {
    const out = await session.ok("export", "greet", "--format", "json");
    equal(JSON.parse(out).GREET_NOTE, "it's fine");
  });
});

Deno.test("an export script that prints something else is named", async () => {
  using session = new Session({
    "p/pkg.yaml":
      'version: "1"\nbuild: { command: "true", empty: true }\nexport: echo oops\n',
  });
  await session.ok("build");
  const { code, stderr } = await session.clibs("export");
  equal(code, 1);
  equal(
    session.neutral(stderr),
    `error: Cannot use the export script of p: it printed a line that is not KEY=VALUE
  line   oops
  asked  DIR/p/pkg.yaml
hint: mend \`export:\` in pkg.yaml; messages belong on stderr
more: clibs explain CLIBS_EXPORT
`,
  );
});

Deno.test("init writes a pkg.yaml that builds, from an archive", async () => {
  using sources = new TempDir();
  sources.write({
    "hello-1.4/CMakeLists.txt": `cmake_minimum_required(VERSION 3.16)
project(hello C)
add_library(hello hello.c)
install(TARGETS hello ARCHIVE DESTINATION lib)
`,
    "hello-1.4/hello.c": "int hello(void) { return 4; }\n",
  });
  using session = new Session();
  await session.bash(
    `tar czf ${sources.path}/hello-1.4.tar.gz -C ${sources.path} hello-1.4`,
  );
  await using server = serveFolder(sources.path);
  equal(
    await session.ok("init", `${server.url}/hello-1.4.tar.gz`),
    "wrote hello/pkg.yaml (hello 1.4; cmake, by CMakeLists.txt)\n",
  );
  await session.ok("build");
  ok(session.dir.has(`hello/_build/${HOST}/lib/libhello.a`));
  const again = await session.clibs("init", `${server.url}/hello-1.4.tar.gz`);
  equal(again.code, 1);
  equal(
    session.neutral(again.stderr),
    `error: Cannot write a pkg.yaml: there is one already
  file  DIR/hello/pkg.yaml
hint: use --force to replace it, or --dir
more: clibs explain CLIBS_INIT_EXISTS
`,
  );
});

Deno.test("init takes the newest tag of a repository; update follows a branch", async () => {
  using sources = new TempDir();
  sources.write({
    "tree/Makefile":
      "all:\ninstall:\n\tmkdir -p $(PREFIX)\n\tcp data $(PREFIX)/\n",
    "tree/data": "one\n",
  });
  repositoryFromTree(sources.join("tree"), sources.join("lib.git"), "v1.2.0");
  await using server = await startGitDaemon(sources.path);
  using session = new Session();
  equal(
    await session.ok("init", `${server.url}/lib.git`),
    "wrote lib/pkg.yaml (lib 1.2.0; make, by Makefile)\n",
  );
  await session.ok("build");
  equal(session.dir.read(`lib/_build/${HOST}/data`), "one\n");
  session.dir.write({
    "lib/pkg.yaml": session.dir.read("lib/pkg.yaml").replace("v1.2.0", "main"),
  });
  await session.ok("build");
  await session.bash(
    `cd ${sources.path}/tree; echo two > data
git -c user.name=a -c user.email=a@localhost commit -qam two
git push -q ../lib.git HEAD:main`,
  );
  match(await session.ok("build"), /up to date\n$/);
  match(
    await session.ok("update"),
    /^lib {2}1\.2\.0 {2}fetched\n +git main: [0-9a-f]{40} -> [0-9a-f]{40}\n +tree: sha256:/,
  );
  match(
    await session.ok("build"),
    /built in .*: pkg\.lock\.json names other sources\n$/,
  );
  equal(session.dir.read(`lib/_build/${HOST}/data`), "two\n");
});

Deno.test("clean frees what it said that it would, and keeps the rest", async () => {
  using session = new Session(greet);
  await session.ok("build");
  const plan = JSON.parse(await session.ok("clean", "--dry-run", "--json"));
  equal(plan.dryRun, true);
  const done = JSON.parse(await session.ok("clean", "--json"));
  deepEqual({ ...done, dryRun: true }, plan);
  ok(done.bytesFreed > 0);
  ok(!session.dir.has(`greet/_build/${HOST}`));
  ok(session.dir.has("greet/greet.c"));
  match(await session.ok("clean"), /^0 B freed\n$/);
});

Deno.test("clean never follows a link out of the package", async () => {
  using session = new Session({ ...greet, "precious/file": "keep" });
  Deno.mkdirSync(session.dir.join("greet/_build"));
  Deno.symlinkSync(
    session.dir.join("precious"),
    session.dir.join(`greet/_build/${HOST}`),
  );
  await session.ok("clean", "--all");
  equal(session.dir.read("precious/file"), "keep");
  ok(!session.dir.has(`greet/_build/${HOST}`));
});

Deno.test("doctor says what is here", async () => {
  using session = new Session();
  const { ok: fine, checks } = JSON.parse(
    await session.ok("doctor", "--offline", "--json"),
  );
  equal(fine, true);
  const names = checks.map((check: { name: string }) => check.name);
  for (const name of ["bash", "git", "C compiler", "cache", "disk", "trace"]) {
    ok(names.includes(name), name);
  }
});

Deno.test("credentials in a URL are never shown", async () => {
  using session = new Session({
    "p/pkg.yaml": `version: "1"
files: [{ url: "http://user:hunter2@127.0.0.1:9/a.tgz" }]
build: { command: "true" }
`,
  });
  const { code, stdout, stderr } = await session.clibs(
    "build",
    "--offline",
    "-v",
  );
  equal(code, 1);
  ok(!`${stdout}${stderr}`.includes("hunter2"), stderr);
});

Deno.test("plain http without a digest is warned about, with its place", async () => {
  using sources = new TempDir();
  sources.write({ "data.txt": "data" });
  await using server = serveFolder(sources.path);
  using session = new Session({
    "p/pkg.yaml": `version: "1"
files:
  - url: "${server.url}/data.txt"
build: { command: cp data.txt "$CLIBS_BUILD_DIR/" }
`,
  });
  const { code, stderr } = await session.clibs("fetch");
  equal(code, 0);
  equal(
    session.neutral(stderr),
    `warning: p/pkg.yaml:3: http is not encrypted; add the file's sha256, which pkg.lock.json will then hold
fetch data.txt ...
fetch data.txt (TIME)
`,
  );
});

Deno.test("Ctrl-C ends the build and all its processes, and costs nothing", async () => {
  const yaml = (command: string) =>
    `version: "1"\nbuild:\n  command: |\n    ${command}\n`;
  using session = new Session({
    "p/pkg.yaml": yaml('echo one > "$CLIBS_BUILD_DIR/x"'),
  });
  await session.ok("build");
  session.dir.write({
    "p/pkg.yaml": yaml(
      'rm -f "$CLIBS_BUILD_DIR/x"; (sleep 1000 & echo $! > "$CLIBS_PACKAGE_DIR/pid"; wait)',
    ),
  });
  const child = new Deno.Command(Deno.execPath(), {
    args: [...cliArgs(), "build"],
    cwd: session.dir.path,
    env: { ...NEUTRAL, ...session.env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  while (!session.dir.has("p/pid") || session.dir.read("p/pid") === "") {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  equal(code, 130);
  equal(
    session.neutral(new TextDecoder().decode(stderr)),
    `build p ...
warning: interrupted; ending what is running
build p: cancelled (TIME)
error: Interrupted
more: clibs explain CLIBS_CANCELLED
`,
  );
  equal(session.dir.read(`p/_build/${HOST}/x`), "one\n");
  const pid = session.dir.read("p/pid").trim();
  // SIGKILL has been sent by now; that it takes effect is up to the kernel.
  await session.bash(
    `for i in {1..500}; do
  case "$(cut -d" " -f3 /proc/${pid}/stat 2>/dev/null)" in ""|Z|X) exit 0;; esac
  sleep 0.01
done
exit 1`,
  );
});
