/** The C library of this machine. */

import { runProcess } from "../host/process.ts";

/** Family of a C library. */
export type Libc = "glibc" | "musl" | "other";

/**
 * Which C library programs of this machine use.
 *
 * Asked of the loader that `/bin/sh` wants, not of clibs itself: a glibc build
 * of Deno also runs on Alpine, where the compilers are musl's.
 */
export function hostLibc(): Libc {
  return known ??= Deno.build.os !== "linux" ? "other" : libcOf("/bin/sh");
}

let known: Libc | undefined;

/**
 * Which C library an ELF program wants, by the loader that it names.
 *
 * @returns `glibc` also for what cannot be read: it is by far the likeliest.
 */
export function libcOf(path: string): Libc {
  const head = new Uint8Array(4096);
  try {
    using file = Deno.openSync(path, { read: true });
    file.readSync(head);
  } catch {
    return "glibc";
  }
  // Linkers put the name of the loader right behind the program headers.
  const text = new TextDecoder("latin1").decode(head);
  return text.includes("/ld-musl-") ? "musl" : "glibc";
}

/** The C library with its version, such as `glibc 2.36`; for people. */
export async function describeLibc(): Promise<string> {
  const libc = hostLibc();
  if (libc === "other") return Deno.build.os;
  try {
    // musl's ldd prints its version to stderr, and fails.
    const { stdout, stderr } = await runProcess({
      command: "ldd",
      args: ["--version"],
    });
    const version = libcVersion(stdout + stderr);
    return version === undefined ? libc : `${libc} ${version}`;
  } catch {
    return libc;
  }
}

/** The version in what `ldd --version` printed, glibc's or musl's. */
export function libcVersion(text: string): string | undefined {
  return /^Version (\d[\w.]*)/m.exec(text)?.[1] ??
    /^ldd .*?(\d+\.\d[\w.]*)\s*$/m.exec(text)?.[1];
}
