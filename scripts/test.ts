/**
 * Runs the tests and the examples in the docs, and counts them.
 *
 * `deno task test [--install] [PATH…]`
 *
 * Tests that need a tool which is not here are skipped and counted; with
 * --install, and in CI, the tools are installed first (Debian, as root), and
 * a skipped test is a failure. The last line is `N passed, N failed`.
 */

import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Everything with tests or examples. */
const ALL = ["tests", "lib", "mod.ts", "README.md", "docs"];

/** Debian packages that tests use, by a program that each brings. */
const TOOLS: Record<string, string> = {
  bash: "bash",
  git: "git",
  "g++": "g++",
  make: "make",
  cmake: "cmake",
  meson: "meson",
  ninja: "ninja-build",
  "pkg-config": "pkg-config",
  autoreconf: "autoconf",
  automake: "automake",
  libtoolize: "libtool",
  xz: "xz-utils",
  bzip2: "bzip2",
  zstd: "zstd",
  zip: "zip",
  curl: "curl",
  tmux: "tmux",
  zsh: "zsh",
  fish: "fish",
  clang: "clang",
  "wasm-ld": "lld",
  "qemu-aarch64": "qemu-user",
  "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
  "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu",
  "dpkg-source": "dpkg-dev",
  strace: "strace",
  flock: "util-linux",
  pkill: "procps",
  slurmctld: "slurm-wlm",
  munged: "munge",
};

/** Debian packages without a program, by a file that each brings. */
const FILES: Record<string, string> = {
  "/usr/include/python3.11/Python.h": "python3-dev",
  "/usr/include/pybind11/pybind11.h": "pybind11-dev",
  "/usr/lib/python3/dist-packages/numpy": "python3-numpy",
  "/usr/include/wasm32-wasi/stdio.h": "wasi-libc",
  "/usr/share/doc/libclang-rt-dev-wasm32": "libclang-rt-dev-wasm32",
};

async function main(args: string[]): Promise<number> {
  const inCi = Deno.env.get("CI") === "true";
  const paths = args.filter((arg) => arg !== "--install");
  if (inCi || args.includes("--install")) await installTools();
  const report = Deno.makeTempFileSync({ suffix: ".xml" });
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--allow-all",
      "--doc",
      "--sanitize-ops",
      "--sanitize-resources",
      `--junit-path=${report}`,
      ...(paths.length > 0 ? paths : ALL),
    ],
    cwd: root,
    env: { CLIBS_TEST_STRICT: inCi ? "1" : "" },
  }).spawn().status;
  const counts = count(Deno.readTextFileSync(report));
  Deno.removeSync(report);
  for (const name of counts.skipped) console.log(`skipped: ${name}`);
  const ran = counts.passed + counts.failed;
  // A run that ends early, such as by a type error, has no failed test to show.
  const broken = ran === 0 || !success && counts.failed === 0;
  if (broken) console.log("error: the test run itself failed");
  const skipped = counts.skipped.length;
  if (inCi && skipped > 0) {
    console.log(
      `error: ${skipped} tests were skipped, which CI does not allow`,
    );
  }
  console.log(
    `${counts.passed} passed, ${counts.failed + Number(broken)} failed` +
      (skipped > 0 ? `, ${skipped} skipped` : ""),
  );
  return success && !broken && !(inCi && skipped > 0) ? 0 : 1;
}

/** Counts test cases in a JUnit report. */
function count(
  xml: string,
): { passed: number; failed: number; skipped: string[] } {
  const counts = { passed: 0, failed: 0, skipped: [] as string[] };
  for (
    const [, name, body] of xml.matchAll(
      /<testcase name="([^"]*)"[^>]*>(.*?)<\/testcase>/gs,
    )
  ) {
    if (/<(failure|error)\b/.test(body ?? "")) counts.failed++;
    else if (/<skipped\b/.test(body ?? "")) counts.skipped.push(name ?? "");
    else counts.passed++;
  }
  return counts;
}

async function installTools(): Promise<void> {
  const missing = Object.entries(TOOLS)
    .filter(([program]) => !onPath(program))
    .map(([, name]) => name);
  missing.push(
    ...Object.entries(FILES).filter(([path]) => !exists(path))
      .map(([, name]) => name),
  );
  if (missing.length === 0) return;
  if (!onPath("apt-get") || Deno.uid() !== 0) {
    console.log(`not installed, and not root on Debian: ${missing.join(" ")}`);
    return;
  }
  console.log(`installing ${missing.join(" ")}`);
  await apt(["update", "--quiet=2"]);
  await apt([
    "install",
    "--quiet=2",
    "--yes",
    "--no-install-recommends",
    ...missing,
  ]);
}

async function apt(args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command("apt-get", {
    args,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  }).output();
  if (success) return;
  const decoder = new TextDecoder();
  console.log(decoder.decode(stdout) + decoder.decode(stderr));
  throw new Error(`apt-get ${args[0]} failed`);
}

function onPath(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":")
    .some((dir) => exists(`${dir}/${program}`));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
