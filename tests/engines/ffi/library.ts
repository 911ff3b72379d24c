/** Compiles libraries for the tests of ffi engines. */

import { run } from "../../support/engines.ts";
import { has } from "../../support/tools.ts";
import type { TempDir } from "../../support/temp.ts";

/** Compilers and forms of debug information that are read. */
export const VARIANTS: readonly (readonly [string, ...string[]])[] = [
  ["g++", "-O0", "-gdwarf-5"],
  ["g++", "-O0", "-gdwarf-4"],
  ["g++", "-O2", "-g"],
  ["g++", "-g", "-gz=zlib"],
  ["g++", "-g", "-gdwarf64"],
  ...has("clang++")
    ? [
      ["clang++", "-O0", "-gdwarf-5"],
      ["clang++", "-O0", "-gdwarf-4"],
      ["clang++", "-O2", "-g"],
    ] as const
    : [],
];

/** Compiles a source to a library, and returns its path. */
export function compile(
  dir: TempDir,
  source: string,
  [compiler, ...flags]: readonly [string, ...string[]] = ["g++", "-g"],
): string {
  dir.write({ "library.cpp": source });
  const name = `library-${[compiler, ...flags].join("").replace(/\W/g, "")}.so`;
  const args = [...flags, "-shared", "-fPIC", "library.cpp", "-o", name];
  run(compiler, args, dir.path);
  return dir.join(name);
}
