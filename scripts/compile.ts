/**
 * Compiles stand-alone binaries into dist/, with their sizes and digests.
 *
 * `deno task compile [--target T|--all]`; T is one of Deno's target triples.
 */

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const root = fileURLToPath(new URL("..", import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const targets = chosen(args);
  if (typeof targets === "string") {
    console.error(`error: ${targets}`);
    console.error("usage: deno task compile [--target T|--all]");
    console.error(`targets: ${TARGETS.join("\n         ")}`);
    return 2;
  }
  Deno.mkdirSync(`${root}dist`, { recursive: true });
  const sums: string[] = [];
  for (const target of targets) {
    const name = binaryName(target);
    if (!await compile(target, name)) return 1;
    const bytes = Deno.readFileSync(`${root}dist/${name}`);
    const digest = createHash("sha256").update(bytes).digest("hex");
    sums.push(`${digest}  ${name}\n`);
    const megabytes = (bytes.length / 1e6).toFixed(1);
    console.log(`${name}  ${megabytes} MB  sha256:${digest}`);
  }
  Deno.writeTextFileSync(`${root}dist/SHA256SUMS`, sums.join(""));
  return 0;
}

/** The targets asked for, or what is wrong with the arguments. */
function chosen(args: readonly string[]): string[] | string {
  const [flag, value, ...rest] = args;
  if (flag === undefined) return [Deno.build.target];
  if (flag === "--all" && value === undefined) return TARGETS;
  if (flag !== "--target" || value === undefined || rest.length > 0) {
    return `cannot understand: ${args.join(" ")}`;
  }
  return TARGETS.includes(value) ? [value] : `unknown target: ${value}`;
}

function binaryName(target: string): string {
  return `clibs-${target}${target.includes("windows") ? ".exe" : ""}`;
}

async function compile(target: string, name: string): Promise<boolean> {
  const native = assets();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--quiet",
      "--allow-all",
      // main.ts loads it by a name that nobody sees through.
      "--include",
      "cli/run.ts",
      ...native.flatMap((path) => ["--include", path]),
      "--target",
      target,
      "--output",
      `dist/${name}`,
      "main.ts",
    ],
    cwd: root,
    env: { NO_COLOR: "1", RUST_BACKTRACE: "0" },
    stdout: "inherit",
    stderr: "piped",
  }).output();
  if (success) return true;
  const said = new TextDecoder().decode(stderr).split("\n\nStack backtrace")[0]
    ?.trim() ?? "";
  console.error(`error: Cannot compile for ${target}`);
  console.error(said.replace(/^/gm, "  "));
  if (/denort|download|dns|connect|fetch|404/i.test(said)) {
    console.error(
      "hint: `deno compile` downloads its runtime (denort); where that cannot " +
        "be reached, set DENORT_BIN to a denort of this Deno version and target",
    );
  }
  return false;
}

/** Native sources that a compiled binary needs beside its modules. */
function assets(): string[] {
  try {
    Deno.statSync(`${root}lib/trace/native`);
    return ["lib/trace/native"];
  } catch {
    return [];
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
