/**
 * Real sources of real libraries: Debian's orig tarballs.
 *
 * They are had through apt with a configuration of our own, so that neither
 * the machine's apt lists nor its sources are touched.
 */

import { join } from "node:path";
import { cacheDir } from "../../lib/host/dirs.ts";
import { withLock } from "../../lib/host/lock.ts";

/** A tarball as its authors released it. */
export interface Upstream {
  /** Absolute path. */
  path: string;
  /** Its file name. */
  name: string;
  /** Version of the release, without Debian's parts. */
  version: string;
}

const cache = join(
  cacheDir((name) =>
    name === "CLIBS_CACHE_DIR" ? undefined : Deno.env.get(name)
  ),
  "../clibs-test-sources",
);

/** Gets the tarball of a Debian source package; kept between runs. */
export async function upstream(source: string): Promise<Upstream> {
  const dir = join(cache, source);
  return await withLock(`${dir}.lock`, { doing: "fetching" }, async () => {
    const known = tarballIn(dir);
    if (known) return known;
    Deno.mkdirSync(dir, { recursive: true });
    const options = await aptOptions();
    await apt([...options, "source", "--download-only", source], dir);
    const found = tarballIn(dir);
    if (!found) throw new Error(`${source} has no orig tarball`);
    return found;
  });
}

function tarballIn(dir: string): Upstream | undefined {
  try {
    for (const { name } of Deno.readDirSync(dir)) {
      const match = /^[^_]+_(.+)\.orig\.tar\.\w+$/.exec(name);
      if (!match?.[1]) continue;
      const version = match[1].replace(/[+~.]?(dfsg|ds|repack).*$/, "");
      return { path: join(dir, name), name, version };
    }
  } catch {
    // Not there yet.
  }
  return undefined;
}

let options: Promise<string[]> | undefined;

/** Options that point apt at lists of our own, which are then up to date. */
function aptOptions(): Promise<string[]> {
  return options ??= withLock(
    join(cache, ".apt.lock"),
    { doing: "updating" },
    async () => {
      const base = join(cache, ".apt");
      Deno.mkdirSync(join(base, "lists/partial"), { recursive: true });
      Deno.mkdirSync(join(base, "cache"), { recursive: true });
      const list = join(base, "sources.list");
      Deno.writeTextFileSync(list, sourceLines().join("\n") + "\n");
      const found = [
        "-qq",
        ...Object.entries({
          "Dir::Etc::SourceList": list,
          "Dir::Etc::SourceParts": "/dev/null",
          "Dir::State::Lists": join(base, "lists"),
          "Dir::Cache": join(base, "cache"),
          "APT::Sandbox::User": "root",
        }).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
      ];
      await apt([...found, "update"], base);
      return found;
    },
  );
}

async function apt(args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("apt-get", {
    args,
    cwd,
  }).output();
  if (success) return;
  throw new Error(`apt-get: ${new TextDecoder().decode(stderr)}`);
}

/** The machine's own Debian entries, for sources instead of binaries. */
function sourceLines(): string[] {
  const release = Deno.readTextFileSync("/etc/os-release");
  const suite = /^VERSION_CODENAME=(\w+)/m.exec(release)?.[1] ?? "stable";
  const lines: string[] = [];
  for (const path of aptFiles()) {
    const text = Deno.readTextFileSync(path);
    if (path.endsWith(".sources")) lines.push(...fromStanzas(text, suite));
    else lines.push(...fromLines(text, suite));
  }
  return [...new Set(lines)];
}

function aptFiles(): string[] {
  const files = ["/etc/apt/sources.list"];
  for (const { name } of Deno.readDirSync("/etc/apt/sources.list.d")) {
    if (/\.(list|sources)$/.test(name)) {
      files.push(join("/etc/apt/sources.list.d", name));
    }
  }
  return files.filter((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

function fromStanzas(text: string, suite: string): string[] {
  const lines: string[] = [];
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name: string) =>
      new RegExp(`^${name}:\\s*(.+)$`, "mi").exec(stanza)?.[1]?.trim() ?? "";
    if (!field("Components").split(/\s+/).includes("main")) continue;
    if (!field("Suites").split(/\s+/).includes(suite)) continue;
    const key = field("Signed-By");
    const signed = key.startsWith("/") ? `[signed-by=${key}] ` : "";
    for (const uri of field("URIs").split(/\s+/)) {
      lines.push(`deb-src ${signed}${uri} ${suite} main`);
    }
  }
  return lines;
}

function fromLines(text: string, suite: string): string[] {
  const form = /^deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/;
  return text.split("\n").flatMap((line) => {
    const [, options = "", uri, name, components = ""] = form.exec(line) ?? [];
    return name === suite && components.split(/\s+/).includes("main")
      ? [`deb-src ${options}${uri} ${suite} main`]
      : [];
  });
}

/** Unpacks a tarball without its top folder; returns the folder. */
export function unpack(tarball: string, dir: string): string {
  Deno.mkdirSync(dir, { recursive: true });
  const { success, stderr } = new Deno.Command("tar", {
    args: ["-xf", tarball, "-C", dir, "--strip-components=1"],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return dir;
}
