/** What this machine offers to binaries. */

import { join } from "node:path";
import { isAbsent, lstatIfExists, readTextIfExists } from "../host/files.ts";
import { cpuFeaturesOfInfo } from "./cpu.ts";
import { readElf } from "./elf.ts";
import { hostLibc } from "./libc.ts";
import type { HostAbi } from "./passport.ts";

/** Folders that every loader knows. */
const DEFAULT_DIRS = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];

/** This machine; what is asked for is found out when it is asked for first. */
export function hostAbi(
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
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
      folders ??= [...listOf(env("LD_LIBRARY_PATH")), ...libraryDirs()];
      return [...runpath, ...folders].map((dir) => join(dir, name))
        .find((path) => lstatIfExists(path));
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

function definedVersions(path: string): string[] {
  try {
    return readElf(Deno.readFileSync(path)).versionDefinitions;
  } catch (error) {
    if (isAbsent(error) || error instanceof SyntaxError) return [];
    throw error;
  }
}

/** The loader's folders: those of /etc/ld.so.conf, then the usual ones. */
function libraryDirs(): string[] {
  const found = configuredDirs("/etc/ld.so.conf", new Set());
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
    const [, pattern] = /^include\s+(.*)$/.exec(plain) ?? [];
    if (pattern === undefined) return plain === "" ? [] : [plain];
    return includedFiles(pattern).flatMap((path) => configuredDirs(path, seen));
  });
}

/** The files of `include /etc/ld.so.conf.d/*.conf`; no other form is in use. */
function includedFiles(pattern: string): string[] {
  const [, dir, end] = /^(\/.*)\/\*(\.\w+)$/.exec(pattern) ?? [];
  if (dir === undefined || end === undefined) return [pattern];
  if (!lstatIfExists(dir)) return [];
  return [...Deno.readDirSync(dir)].map(({ name }) => name)
    .filter((name) => name.endsWith(end)).sort()
    .map((name) => join(dir, name));
}

function listOf(text: string | undefined): string[] {
  return (text ?? "").split(":").filter((part) => part !== "");
}
