/** What a binary needs of a machine, and what a machine lacks of it. */

import type { ElfFile, VersionNeed } from "./elf.ts";
import type { Libc } from "./libc.ts";

/** What a binary needs; plain data. */
export interface Passport {
  /** Processor: `x86_64`. */
  machine: string;
  /** Width of addresses. */
  bits: number;
  /** The loader that it names; modules name none. */
  interpreter?: string;
  /** C library that it was linked against. */
  libc: "glibc" | "musl" | "unknown";
  /** Libraries, by name. */
  needed: string[];
  /** Folders in which it looks for them first. */
  runpath: string[];
  /** Highest version of glibc's symbols: `2.34`. */
  glibc?: string;
  /** Highest version of libstdc++'s symbols: `3.4.30`. */
  glibcxx?: string;
  /** Highest version of the C++ ABI's symbols: `1.3.13`. */
  cxxabi?: string;
  /** All versions of symbols. */
  symbols: VersionNeed[];
  /** Processor features that it was compiled for, as /proc/cpuinfo names them. */
  cpu: string[];
}

/** What a machine has. */
export interface HostAbi {
  /** Processor: `x86_64`. */
  machine: string;
  /** Width of addresses of its programs. */
  bits: number;
  /** Its C library. */
  libc: Libc;
  /** Path of a library; undefined if there is none of that name. */
  findLibrary(name: string, runpath: readonly string[]): string | undefined;
  /** Versions of symbols that a library has. */
  versionsOf(path: string): ReadonlySet<string>;
  /** Features of its processor, as /proc/cpuinfo names them. */
  cpuFeatures(): ReadonlySet<string>;
}

/**
 * Takes down what a binary needs.
 *
 * @param cpu Features that its compile relied on; the file does not tell.
 */
export function passportOf(
  elf: ElfFile,
  cpu: readonly string[] = [],
): Passport {
  const symbols = elf.versionNeeds.toSorted((a, b) =>
    compareText(`${a.file} ${a.version}`, `${b.file} ${b.version}`)
  );
  const highest = (prefix: string) =>
    symbols.map(({ version }) => version)
      .filter((version) => version.startsWith(prefix))
      .map((version) => version.slice(prefix.length))
      .filter((version) => /^[\d.]+$/.test(version))
      .sort(compareVersions).at(-1);
  const optional = {
    interpreter: elf.interpreter,
    glibc: highest("GLIBC_"),
    glibcxx: highest("GLIBCXX_"),
    cxxabi: highest("CXXABI_"),
  };
  return {
    machine: elf.machine,
    bits: elf.bits,
    libc: libcOf(elf),
    needed: elf.needed,
    runpath: elf.runpath,
    symbols,
    cpu: [...cpu],
    ...Object.fromEntries(
      Object.entries(optional).filter(([, value]) => value !== undefined),
    ),
  };
}

function libcOf(elf: ElfFile): Passport["libc"] {
  if (elf.needed.some((name) => /^libc\.musl-|^libc\.so$/.test(name))) {
    return "musl";
  }
  return elf.needed.includes("libc.so.6") ? "glibc" : "unknown";
}

/** Compares versions number by number: `2.9` is less than `2.34`. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a machine lacks of a binary's needs, a sentence each; empty if nothing. */
export function unmetNeeds(passport: Passport, host: HostAbi): string[] {
  const { machine, bits, libc } = passport;
  // With another processor or C library nothing else can be compared.
  if (machine !== host.machine || bits !== host.bits) {
    return [
      `built for ${machine} (${bits} bits), this machine is ${host.machine}`,
    ];
  }
  if (libc !== "unknown" && host.libc !== "other" && libc !== host.libc) {
    return [`built for ${libc}, this machine has ${host.libc}`];
  }
  const features = passport.cpu.length > 0 ? host.cpuFeatures() : new Set();
  return [
    ...passport.needed.flatMap((name) => unmetLibrary(name, passport, host)),
    ...passport.cpu.filter((feature) => !features.has(feature)).map((feature) =>
      `needs the processor feature ${feature}, which this machine lacks`
    ),
  ];
}

function unmetLibrary(
  name: string,
  passport: Passport,
  host: HostAbi,
): string[] {
  const versions = passport.symbols.filter(({ file }) => file === name)
    .map(({ version }) => version);
  const path = host.findLibrary(name, passport.runpath);
  if (path === undefined) {
    return [`needs ${name}, which is not on this machine`];
  }
  if (versions.length === 0) return [];
  const present = host.versionsOf(path);
  // A library built without versions: the loader goes by the names alone.
  if (present.size === 0) return [];
  const missing = versions.filter((version) => !present.has(version))
    .sort((a, b) => compareVersions(numberOf(a), numberOf(b)));
  // The highest of each family tells enough: GLIBC, GLIBCXX, CXXABI.
  const families = new Map(missing.map((v) => [familyOf(v), v]));
  return [...families.values()].map((version) => {
    const highest = [...present]
      .filter((other) => familyOf(other) === familyOf(version))
      .sort((a, b) => compareVersions(numberOf(a), numberOf(b))).at(-1);
    const has = highest ? `has up to ${highest}` : "has no such version";
    return `needs ${version} of ${name}, this machine ${has}`;
  });
}

/** `GLIBC` of `GLIBC_2.34`; one without a number, as CXXABI_FLOAT128, is its own. */
function familyOf(version: string): string {
  return /^(.*)_[\d.]+$/.exec(version)?.[1] ?? version;
}

function numberOf(version: string): string {
  return version.slice(familyOf(version).length + 1);
}
