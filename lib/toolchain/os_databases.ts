/** Which files the packages of the operating system consist of. */

import { join } from "node:path";
import { bytesToPath } from "../host/bytes_path.ts";
import { readTextIfExists, sortedEntries } from "../host/files.ts";
import { statNs } from "../host/statx.ts";
import { readBytes } from "../host/read_chunks.ts";

/** A package of the operating system. */
export interface OsPackage {
  /** As its tools call it: `libc6`, or `libc6:i386` if it is of another kind. */
  name: string;
  /** As its tools tell it: `2.36-9+deb12u14`. */
  version: string;
}

/** Takes a package with the absolute paths of its files. */
export type TakePackage = (found: OsPackage, paths: Iterable<string>) => void;

/** A database of packages. */
export interface OsDatabase {
  /** Files and folders below the root that change whenever it does. */
  watched: readonly string[];
  /** Hands over every package; none if there is no such database. */
  read(root: string, take: TakePackage): void;
}

const DPKG = "var/lib/dpkg";

/** Debian and what descends from it. */
export const dpkg: OsDatabase = {
  watched: [`${DPKG}/status`, `${DPKG}/info`, `${DPKG}/diversions`],
  read(root, take) {
    const status = readTextIfExists(join(root, DPKG, "status"));
    if (!status) return;
    const versions = dpkgVersions(status);
    const native = readTextIfExists(join(root, DPKG, "arch"))?.split("\n")[0] ||
      versions.get("dpkg")?.architecture;
    const diverted = dpkgDiversions(root);
    for (const { name: file } of sortedEntries(join(root, DPKG, "info"))) {
      if (!file.endsWith(".list")) continue;
      const id = file.slice(0, -".list".length);
      const known = versions.get(id);
      if (!known) continue;
      const [base = id] = id.split(":");
      const isNative = known.architecture === native ||
        known.architecture === "all";
      const name = isNative ? base : `${base}:${known.architecture}`;
      const lines = linesOf(join(root, DPKG, "info", file));
      const paths = lines.map((path) => {
        const moved = diverted.get(path);
        return moved && moved.by !== base ? moved.to : path;
      });
      take({ name, version: known.version }, paths);
    }
  },
};

interface DpkgVersion {
  version: string;
  architecture: string;
}

/** Installed packages by their name, and by name and architecture. */
function dpkgVersions(status: string): Map<string, DpkgVersion> {
  const versions = new Map<string, DpkgVersion>();
  for (const record of status.split(/\n\n+/)) {
    const field = (name: string) =>
      new RegExp(`^${name}: *(.*)$`, "m").exec(record)?.[1]?.trim();
    const [name, version] = [field("Package"), field("Version")];
    // What was removed may still have a list, of its settings.
    if (
      !name || !version ||
      / (?:config-files|not-installed)$/.test(field("Status") ?? "")
    ) {
      continue;
    }
    const found = { version, architecture: field("Architecture") ?? "all" };
    if (!versions.has(name)) versions.set(name, found);
    versions.set(`${name}:${found.architecture}`, found);
  }
  return versions;
}

/** Paths of which one package made another one's file make way. */
function dpkgDiversions(root: string): Map<string, { to: string; by: string }> {
  const text = readTextIfExists(join(root, DPKG, "diversions")) ?? "";
  const lines = text.split("\n");
  const moved = new Map<string, { to: string; by: string }>();
  for (let i = 0; i + 2 < lines.length; i += 3) {
    moved.set(lines[i]!, { to: lines[i + 1]!, by: lines[i + 2]! });
  }
  return moved;
}

const APK = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/** Alpine. */
export const apk: OsDatabase = {
  watched: APK,
  read(root, take) {
    // On a system where /lib is a link both are the same file.
    const path = APK.map((name) => join(root, name)).find(statNs);
    if (path === undefined) return;
    for (const record of textOf(path).split("\n\n")) {
      const found: Partial<OsPackage> = {};
      const paths: string[] = [];
      let folder = "";
      for (const line of record.split("\n")) {
        const value = line.slice(2);
        if (line.startsWith("P:")) found.name = value;
        else if (line.startsWith("V:")) found.version = value;
        else if (line.startsWith("F:")) folder = value;
        else if (line.startsWith("R:")) {
          paths.push(folder === "" ? `/${value}` : `/${folder}/${value}`);
        }
      }
      const { name, version } = found;
      if (name && version) take({ name, version }, paths);
    }
  },
};

const RPM = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
const RPM_FILES = [
  "rpmdb.sqlite",
  "rpmdb.sqlite-wal",
  "Packages.db",
  "Packages",
];

/** Fedora, SUSE and what descends from them; asks the program `rpm`. */
export const rpm: OsDatabase = {
  watched: RPM.flatMap((dir) => RPM_FILES.map((file) => `${dir}/${file}`)),
  read(root, take) {
    const isThere = (path: string) =>
      sortedEntries(join(root, path)).some(({ name }) =>
        RPM_FILES.includes(name)
      );
    if (!RPM.some(isThere)) return;
    // All at once: asking for one file takes as long as for a thousand.
    const format = "[%{=NAME}.%{=ARCH}\\t%|EPOCH?{%{=EPOCH}:}|" +
      "%{=VERSION}-%{=RELEASE}\\t%{FILENAMES}\\n]";
    let output: Deno.CommandOutput;
    try {
      output = new Deno.Command("rpm", {
        args: ["--root", root, "-qa", "--qf", format],
        env: { LC_ALL: "C" },
        stdin: "null",
        stderr: "null",
      }).outputSync();
    } catch {
      // A database without its program: files are looked at one by one.
      return;
    }
    if (!output.success) return;
    const files = new Map<string, { found: OsPackage; paths: string[] }>();
    for (const line of bytesToPath(output.stdout).split("\n")) {
      const [name, version, path] = line.split("\t");
      if (!name || !version || !path) continue;
      const id = `${name} ${version}`;
      let entry = files.get(id);
      if (!entry) {
        entry = { found: { name, version }, paths: [] };
        files.set(id, entry);
      }
      entry.paths.push(path);
    }
    for (const { found, paths } of files.values()) take(found, paths);
  },
};

function linesOf(path: string): string[] {
  return textOf(path).split("\n").filter((line) => line !== "");
}

/** Names in it may be any bytes. */
function textOf(path: string): string {
  return bytesToPath(readBytes(path));
}
