/** What a compiler is: program and version. */

import { findProgram, runProcess } from "../host/process.ts";

/**
 * A compiler in one line, such as `gcc 12.2.0 (Debian 12.2.0-14) /usr/bin/cc`.
 *
 * The version is asked for once per program in this process, and again when
 * the file has changed.
 *
 * @param command Program and arguments, as in `CC`.
 * @param searchPath Folders, joined as in PATH.
 * @returns Undefined if the program is not there or does not run.
 */
export async function compilerIdentity(
  command: readonly string[],
  searchPath?: string,
): Promise<string | undefined> {
  const [program, ...args] = command;
  if (program === undefined) return undefined;
  const path = program.includes("/")
    ? program
    : findProgram(program, searchPath);
  if (path === undefined) return undefined;
  let key: string;
  try {
    const { mtime, size } = Deno.statSync(path);
    key = [path, ...args, mtime?.getTime(), size].join("\0");
  } catch {
    return undefined;
  }
  let line = known.get(key);
  if (!line) {
    line = firstLine(path, args);
    known.set(key, line);
  }
  const version = await line;
  return version === undefined
    ? undefined
    : `${describeVersion(version)} ${path}`;
}

const known = new Map<string, Promise<string | undefined>>();

async function firstLine(
  path: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const result = await runProcess({
      command: path,
      args: [...args, "--version"],
      // A translated or coloured version line would change the identity.
      env: { LC_ALL: "C", NO_COLOR: "1" },
    });
    return result.ok ? result.stdout.split("\n", 1)[0]?.trim() : undefined;
  } catch {
    return undefined;
  }
}

/** Turns a compiler's version line into `NAME VERSION (BUILD)`. */
export function describeVersion(line: string): string {
  const clang = /^(.*?)\s*clang version (\S+)/.exec(line);
  if (clang) return `clang ${clang[2]}${clang[1] ? ` (${clang[1]})` : ""}`;
  // The name is that of the file: cc, gcc-12, aarch64-linux-gnu-gcc.
  const gcc = /^\S+ \((.*)\) (\d[\w.]*)/.exec(line);
  if (gcc) return `gcc ${gcc[2]} (${gcc[1]})`;
  return line;
}
