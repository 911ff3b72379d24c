/** What this machine offers to binaries. */

import { basename, dirname, join, resolve } from "node:path";
import { isAbsent, lstatIfExists, readTextIfExists } from "../host/files.ts";
import { splitPaths } from "../host/shell.ts";
import { cpuFeaturesOfInfo } from "./cpu.ts";
import { readElf, readElfHeader } from "./elf.ts";
import { hostLibc } from "./libc.ts";
import type { HostAbi } from "./passport.ts";

/** Folders that every loader knows. */
const DEFAULT_DIRS = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];

/**
 * This machine; what is asked for is found out when it is asked for first.
 *
 * @param env Looks up a variable of the environment. Default: this process's.
 * @param config The loader's list of folders. Default: `/etc/ld.so.conf`.
 */
export function hostAbi(
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
  config = "/etc/ld.so.conf",
): HostAbi {
  let folders: string[] | undefined;
  let features: ReadonlySet<string> | undefined;
  const versions = new Map<string, ReadonlySet<string>>();
  return {
    machine: Deno.build.arch,
    bits: 64,
    libc: hostLibc(),
    findLibrary(name, runpath) {
      if (name.includes("/")) return lstatIfExists(name) ? name : undefined;
      folders ??= [
        ...splitPaths(env("LD_LIBRARY_PATH")),
        ...libraryDirs(config),
      ];
      return [...runpath, ...folders].map((dir) => join(dir, name))
        .find(isForHere);
    },
    versionsOf(path) {
      const known = versions.get(path);
      if (known) return known;
      const found = new Set(definedVersions(path));
      versions.set(path, found);
      return found;
    },
    cpuFeatures() {
      return features ??= cpuFeaturesOfInfo(
        readTextIfExists("/proc/cpuinfo") ?? "",
      );
    },
  };
}

/** Whether the loader would take it: those of other processors it passes by. */
function isForHere(path: string): boolean {
  const head = new Uint8Array(20);
  try {
    using file = Deno.openSync(path, { read: true });
    const size = file.readSync(head) ?? 0;
    const { machine, bits } = readElfHeader(head.subarray(0, size));
    return machine === Deno.build.arch && bits === 64;
  } catch {
    // Absent, a folder, a dangling link, unreadable, or not ELF.
    return false;
  }
}

function definedVersions(path: string): string[] {
  try {
    return readElf(Deno.readFileSync(path)).versionDefinitions;
  } catch (error) {
    if (isAbsent(error) || error instanceof SyntaxError) return [];
    throw error;
  }
}

/** The loader's folders: those that it was told, then the usual ones. */
function libraryDirs(config: string): string[] {
  const found = configuredDirs(config, new Set());
  const multiarch = `${Deno.build.arch}-linux-gnu`;
  return [
    ...new Set([
      ...found,
      `/lib/${multiarch}`,
      `/usr/lib/${multiarch}`,
      ...DEFAULT_DIRS,
    ]),
  ];
}

function configuredDirs(file: string, seen: Set<string>): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const text = readTextIfExists(file) ?? "";
  return text.split("\n").flatMap((line) => {
    const plain = line.replace(/#.*/, "").trim();
    const [, patterns] = /^include\s+(.*)$/.exec(plain) ?? [];
    if (patterns === undefined) return plain === "" ? [] : [plain];
    // Fedora's has a relative one: include ld.so.conf.d/*.conf
    return patterns.split(/\s+/)
      .flatMap((pattern) => includedFiles(resolve(dirname(file), pattern)))
      .flatMap((path) => configuredDirs(path, seen));
  });
}

/** The files that a pattern names; `*` may stand in its last part. */
function includedFiles(pattern: string): string[] {
  const dir = dirname(pattern);
  const [start = "", ...rest] = basename(pattern).split("*");
  const end = rest.at(-1);
  if (end === undefined) return [pattern];
  if (!lstatIfExists(dir)) return [];
  return [...Deno.readDirSync(dir)].map(({ name }) => name)
    .filter((name) => name.startsWith(start) && name.endsWith(end)).sort()
    .map((name) => join(dir, name));
}
