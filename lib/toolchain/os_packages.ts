/**
 * The packages of the operating system that files outside the repo belong to:
 * a job that read a thousand files of the compiler depends on its version.
 */

import { join, posix } from "node:path";
import { writeFileAtomic } from "../host/files.ts";
import { lstatNs, readLinkNs } from "../host/statx.ts";
import { apk, dpkg, type OsPackage, rpm } from "./os_databases.ts";
import { isIndexLength, PathIndex } from "./path_index.ts";

export type { OsPackage };

/** Options of {@linkcode OsPackages.open}. */
export interface OsPackagesOptions {
  /** Folder where the index is kept. Default: it is made anew each time. */
  cacheDir?: string;
  /** Where the system is. Default: `/`. */
  root?: string;
}

/**
 * Version of the saved index.
 *
 * Bump it when its bytes or their meaning change.
 */
const FORMAT = 1;

const DATABASES = [dpkg, apk, rpm];

/** Folders which are links on some systems while databases name them as such. */
const MERGED = [
  "bin",
  "sbin",
  "lib",
  "lib32",
  "lib64",
  "libx32",
  "usr/sbin",
  "usr/lib64",
];

interface Loaded {
  packages: OsPackage[];
  index: PathIndex;
}

/** Owners of files as they were when this was opened. */
export class OsPackages {
  /** What the databases were like: equal stamps, equal answers. */
  readonly stamp: string;
  readonly #options: OsPackagesOptions;
  readonly #root: string;
  readonly #merges: [from: string, to: string][];
  #loaded: Loaded | undefined;
  #versions: Map<string, OsPackage[]> | undefined;

  private constructor(options: OsPackagesOptions) {
    this.#options = options;
    this.#root = options.root ?? "/";
    this.stamp = OsPackages.stampOf(this.#root);
    this.#merges = mergesOf(this.#root);
  }

  /** Opens the databases; they are read when something is first asked. */
  static open(options: OsPackagesOptions = {}): OsPackages {
    return new OsPackages(options);
  }

  /**
   * What the databases are like now, in microseconds: while it is the same, no
   * package has changed.
   */
  static stampOf(root = "/"): string {
    const stats = DATABASES.flatMap(({ watched }) => watched).map((name) => {
      const stat = lstatNs(join(root, name));
      // rpm leaves an empty journal behind when it was only asked something.
      return stat && stat.size > 0
        ? `${stat.size} ${stat.ino} ${stat.mtimeNs}`
        : "";
    });
    return `${root}: ${stats.join(",")}`;
  }

  /**
   * The package that a file belongs to, present or not.
   *
   * @param path Absolute; links in its folders should be resolved, but for
   *   those of the system's top, such as `/lib`.
   * @returns Undefined if none does, or several do as with folders; also for
   *   settings and state (`/etc`, `/var`), which change without the version.
   */
  ownerOf(path: string): OsPackage | undefined {
    const { index, packages } = this.#load();
    const owner = index.get(this.#canonical(path));
    return owner === undefined ? undefined : packages[owner];
  }

  /** Whether a package is there in this version, perhaps beside other ones. */
  isInstalled({ name, version }: OsPackage): boolean {
    return this.versionsOf(name).includes(version);
  }

  /** Versions of a package; some systems keep several of one, such as kernels. */
  versionsOf(name: string): readonly string[] {
    this.#versions ??= Map.groupBy(this.#load().packages, ({ name }) => name);
    return this.#versions.get(name)?.map(({ version }) => version) ?? [];
  }

  #canonical(path: string): string {
    const plain = path.includes("/.") || path.includes("//")
      ? posix.normalize(path)
      : path;
    for (const [from, to] of this.#merges) {
      if (plain.startsWith(from)) return to + plain.slice(from.length);
    }
    return plain;
  }

  #load(): Loaded {
    return this.#loaded ??= this.#readCache() ?? this.#readDatabases();
  }

  #readDatabases(): Loaded {
    const packages: OsPackage[] = [];
    const index = new PathIndex();
    /** A package that is there for two architectures is one. */
    const numbers = new Map<string, number>();
    for (const database of DATABASES) {
      database.read(this.#root, (found, paths) => {
        const [base] = found.name.split(":");
        const id = `${base} ${found.version}`;
        const number = numbers.get(id) ?? packages.length;
        numbers.set(id, number);
        packages.push(found);
        for (const path of paths) {
          if (!isLocal(path)) index.set(this.#canonical(path), number);
        }
      });
    }
    const loaded = { packages, index };
    // Changed meanwhile: good enough for this command, and for no other.
    if (OsPackages.stampOf(this.#root) === this.stamp) this.#writeCache(loaded);
    return loaded;
  }

  #cachePath(): string | undefined {
    const { cacheDir } = this.#options;
    const { arch } = Deno.build;
    return cacheDir && join(cacheDir, `os-packages-v${FORMAT}-${arch}`);
  }

  #readCache(): Loaded | undefined {
    const path = this.#cachePath();
    if (path === undefined) return undefined;
    try {
      const bytes = Deno.readFileSync(path);
      const end = bytes.indexOf(0x0a) + 1;
      const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
      const words = bytes.length - end;
      if (
        head.stamp !== this.stamp || words !== head.bytes ||
        !isIndexLength(words / 4)
      ) return undefined;
      const index = new Uint32Array(words / 4);
      new Uint8Array(index.buffer).set(bytes.subarray(end));
      return { packages: head.packages, index: new PathIndex(index) };
    } catch {
      // None, or cut: it is made again.
      return undefined;
    }
  }

  #writeCache({ packages, index }: Loaded): void {
    const path = this.#cachePath();
    if (path === undefined) return;
    const words = new Uint8Array(index.words.buffer);
    const head = { stamp: this.stamp, bytes: words.length, packages };
    const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`);
    const bytes = new Uint8Array(line.length + words.length);
    bytes.set(line);
    bytes.set(words, line.length);
    try {
      Deno.mkdirSync(this.#options.cacheDir!, { recursive: true });
      writeFileAtomic(path, bytes);
    } catch {
      // A read-only project is served as well, only more slowly.
    }
  }
}

/** Whether its content is this machine's, whoever brought the file. */
function isLocal(path: string): boolean {
  return path.startsWith("/etc/") || path.startsWith("/var/");
}

/** Prefixes of paths with what they lead to, both with a slash at the end. */
function mergesOf(root: string): [from: string, to: string][] {
  const targets = new Map<string, string>();
  for (const name of MERGED) {
    const text = readLinkNs(join(root, name));
    if (text === undefined) continue;
    targets.set(`/${name}/`, posix.resolve("/", posix.dirname(name), text));
  }
  return [...targets].map(([from, to]) => {
    // One link may lead to another: /sbin to /usr/sbin, and that to /usr/bin.
    const next = targets.get(`${to}/`) ?? to;
    return [from, `${next}/`];
  });
}
