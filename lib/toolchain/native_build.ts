/** Compiles the native parts of clibs with whatever compiler does. */

import { join, resolve } from "node:path";
import { ClibsError } from "../errors.ts";
import { findProgram, runProcess } from "../host/process.ts";
import { splitWords } from "../host/shell.ts";
import { readElf } from "./elf.ts";
import { hostLibc } from "./libc.ts";
import { passportOf } from "./passport.ts";

/** What to compile. */
export interface NativeUnit {
  /** File name of the result. */
  name: string;
  /** Sources and headers by file name; those in `.c` are compiled. */
  sources: Readonly<Record<string, string>>;
  /** Arguments of the compiler besides the sources and `-o`. */
  args: readonly string[];
}

/**
 * Compiles a unit into a folder, with the sources beside it in `src`.
 *
 * The compiler that `CC` names comes first. But `CC` is meant for the user's
 * own build, and may be one for another machine: what cannot be loaded here is
 * left to the compilers that follow.
 *
 * @throws {ClibsError} `CLIBS_NATIVE_COMPILER` without any,
 *   `CLIBS_NATIVE_BUILD` if none makes it.
 */
export async function compileNative(
  unit: NativeUnit,
  folder: string,
  env: (name: string) => string | undefined,
): Promise<void> {
  const sources = join(folder, "src");
  Deno.mkdirSync(sources, { recursive: true });
  for (const [name, text] of Object.entries(unit.sources)) {
    Deno.writeTextFileSync(join(sources, name), text);
  }
  const failures: [command: string, output: string][] = [];
  for (const command of compilersIn(env)) {
    const output = await compile(command, unit, folder, sources);
    if (output === undefined) return;
    failures.push([command.join(" "), output]);
  }
  const [first] = failures;
  if (!first) throw noCompiler(env("CC"));
  throw new ClibsError(
    "CLIBS_NATIVE_BUILD",
    `Cannot compile ${unit.name}: ${
      failures.map(([command]) => command).join(", ")
    } failed`,
    {
      facts: { sources, output: first[1] },
      hint: "set CC to a C compiler for this machine, such as gcc or clang",
    },
  );
}

function noCompiler(asked: string | undefined): ClibsError {
  return new ClibsError(
    "CLIBS_NATIVE_COMPILER",
    "Cannot compile a part of clibs: there is no C compiler",
    {
      facts: { tried: [asked ?? "", ...USUAL].filter(Boolean).join(", ") },
      hint: "install gcc or clang, or set CC",
    },
  );
}

const USUAL = ["cc", "gcc", "clang"];

/** Commands of the compilers that there are, without repetition. */
function compilersIn(
  env: (name: string) => string | undefined,
): readonly string[][] {
  const commands = new Map<string, string[]>();
  const asked = splitWords(env("CC") ?? "");
  for (const [name, ...flags] of [asked, ...USUAL.map((name) => [name])]) {
    if (name === undefined) continue;
    const path = name.includes("/")
      ? resolve(name)
      : findProgram(name, env("PATH"));
    if (path === undefined) continue;
    const command = [path, ...flags];
    commands.set(command.join("\0"), command);
  }
  return [...commands.values()];
}

/** Compiles with one compiler; returns what is wrong, if something is. */
async function compile(
  command: readonly string[],
  unit: NativeUnit,
  folder: string,
  sources: string,
): Promise<string | undefined> {
  const path = join(folder, unit.name);
  try {
    const result = await runProcess({
      command: command[0]!,
      args: [
        ...command.slice(1),
        ...unit.args,
        ...Object.keys(unit.sources).filter((name) => name.endsWith(".c")),
        "-o",
        path,
      ],
      cwd: sources,
      env: { LC_ALL: "C" },
    });
    if (result.ok) return misfit(path);
    const output = result.stderr.trim() || `it ended with ${result.code}`;
    return output.split("\n").slice(0, 8).join("\n");
  } catch (error) {
    return (error as Error).message;
  }
}

/** Libraries that every program of a C library has, or may have at no cost. */
const PLAIN = {
  glibc: /^(libc\.so\.6|ld-linux.*|lib(dl|pthread|rt)\.so\..*)$/,
  musl: /^(libc\.musl.*|libc\.so|ld-musl.*)$/,
  other: /^/,
};

/** Why what was built cannot be loaded into any program here. */
function misfit(path: string): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const libc = hostLibc();
  try {
    const { machine, bits, needed, libc: wants } = passportOf(
      readElf(Deno.readFileSync(path)),
    );
    if (machine !== Deno.build.arch || bits !== 64) {
      return `it builds for ${machine} of ${bits} bits`;
    }
    if (wants !== "unknown" && wants !== libc) return `it builds for ${wants}`;
    const extra = needed.find((name) => !PLAIN[libc].test(name));
    return extra === undefined ? undefined : `what it builds needs ${extra}`;
  } catch (error) {
    return `it builds no program: ${(error as Error).message}`;
  }
}
