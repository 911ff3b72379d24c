/** Writes a tree below one empty folder, and nothing anywhere else. */

import { randomBytes } from "node:crypto";
import { lstatIfExists } from "../files.ts";
import type { FaultReporter } from "./failure.ts";
import { leavesTree } from "./links.ts";
import { checkLinkText, CollisionGuard } from "./names.ts";
import { type Mtime, TimeSetter } from "./times.ts";

/** What is to be set on a folder once everything is below it. */
interface Folder {
  /** Whether the archive has an entry for it. */
  explicit: boolean;
  mode: number;
  mtime: Mtime | undefined;
}

/**
 * A tree being written.
 *
 * It starts from an empty folder and remembers every folder and symlink it
 * makes, so what a name leads to is known without asking the disk, and a
 * check and the act that it allows always mean the same object.
 *
 * With strip `auto`, the tree is written as if its first top folder were the
 * only one; a second top entry puts that folder back with a rename. All names
 * kept in memory are those of the archive, so this changes only `#path`.
 */
export class TreeWriter implements Disposable {
  readonly #into: string;
  readonly #strip: "auto" | number;
  readonly #faults: FaultReporter;
  readonly #umask = Deno.build.os === "windows" ? 0 : Deno.umask();
  readonly #folders = new Map<string, Folder>();
  readonly #links = new Map<string, string>();
  readonly #guard: CollisionGuard | undefined;
  /** The dropped top folder; null: there is none. */
  #top: string | null | undefined;
  readonly #times = new TimeSetter();
  #file: Deno.FsFile | undefined;
  #filePath = "";

  /**
   * @param into An empty folder.
   * @param strip As in `ExtractOptions`.
   */
  constructor(into: string, strip: "auto" | number, faults: FaultReporter) {
    this.#into = Deno.realPathSync(into);
    this.#strip = strip;
    this.#faults = faults;
    this.#guard = ignoresCase(this.#into) ? new CollisionGuard() : undefined;
    if (strip !== "auto") this.#top = null;
  }

  /** The top folder that was dropped by `auto`. */
  get stripped(): string | undefined {
    return this.#top ?? undefined;
  }

  /** Makes a folder; its mode and time are set by {@linkcode finish}. */
  addFolder(components: string[], mode: number, mtime?: Mtime): void {
    const name = this.#place(components, true);
    if (name === undefined) return;
    const folder = { explicit: true, mode: this.#mode(mode) | 0o700, mtime };
    if (!this.#folders.has(name)) {
      this.#makeParents(name);
      this.#makeFolder(name, folder);
    }
    this.#folders.set(name, folder);
  }

  /**
   * Begins a file. An earlier file of the same name is replaced, as by tar.
   *
   * @returns Whether it is to be written; else it was stripped.
   */
  openFile(components: string[], mode: number): boolean {
    const name = this.#place(components, false);
    if (name === undefined) return false;
    this.#makeParents(name);
    const path = this.#path(name);
    // The owner can always read; else the tree could not be digested.
    const options = {
      write: true,
      createNew: true,
      mode: this.#mode(mode) | 0o400,
    };
    try {
      this.#file = Deno.openSync(path, options);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      this.#refuseUnlessFile(name);
      Deno.removeSync(path);
      this.#file = Deno.openSync(path, options);
    }
    this.#filePath = path;
    return true;
  }

  /** Adds bytes to the file begun last. */
  write(bytes: Uint8Array): void {
    const file = this.#file as Deno.FsFile;
    for (let done = 0; done < bytes.length;) {
      done += file.writeSync(done === 0 ? bytes : bytes.subarray(done));
    }
  }

  /** Ends the file begun last. */
  closeFile(mtime?: Mtime): void {
    const file = this.#file as Deno.FsFile;
    if (mtime?.nanos === 0) file.utimeSync(mtime.seconds, mtime.seconds);
    file.close();
    this.#file = undefined;
    if (mtime && mtime.nanos !== 0) this.#times.set(this.#filePath, mtime);
  }

  /** Closes what is open; no more can be written then. */
  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
    this.#times[Symbol.dispose]();
  }

  /** Makes a symlink, if it does not lead out of the tree. */
  addSymlink(components: string[], target: string, mtime?: Mtime): void {
    const name = this.#place(components, false);
    if (name === undefined) return;
    checkLinkText(target, this.#faults);
    this.#makeParents(name);
    if (this.#links.get(name) === target) return;
    const path = this.#path(name);
    if (lstatIfExists(path)) throw this.#duplicate();
    this.#links.set(name, target);
    // Once more in finish(): links and the top folder are known only then.
    if (leavesTree(name, this.#links, 0)) throw this.#leaves(target);
    Deno.symlinkSync(target, path);
    if (mtime) this.#times.set(path, mtime);
  }

  /** Makes another name of a file that was written before. */
  addHardLink(components: string[], targetComponents: string[]): void {
    const target = this.#dropLeading(targetComponents).join("/");
    const facts = { target: targetComponents.join("/") };
    const refuse = (reason: string) =>
      this.#faults.make("UNSAFE", `is a hard link to ${reason}`, facts);
    const name = this.#place(components, false);
    if (name === undefined) return;
    this.#makeParents(name);
    const parent = target.slice(0, Math.max(target.lastIndexOf("/"), 0));
    if (this.#links.has(target)) throw refuse("a symlink");
    if (target === "" || this.#folders.has(target)) throw refuse("a folder");
    const known = parent === ""
      ? this.#top === null
      : this.#folders.has(parent);
    const info = known ? lstatIfExists(this.#path(target)) : undefined;
    if (!info?.isFile) {
      throw refuse("something that is not a file before it in the archive");
    }
    const path = this.#path(name);
    const existing = lstatIfExists(path);
    if (existing) {
      if (existing.ino === info.ino && existing.isFile) return;
      this.#refuseUnlessFile(name);
      Deno.removeSync(path);
    }
    Deno.linkSync(this.#path(target), path);
  }

  /** Checks all symlinks once more; sets modes and times of folders. */
  finish(): void {
    const floor = typeof this.#top === "string" ? 1 : 0;
    for (const [name, target] of this.#links) {
      if (!leavesTree(name, this.#links, floor)) continue;
      this.#faults.entry = name;
      throw this.#leaves(target);
    }
    for (const [name, folder] of this.#folders) {
      if (name === this.#top || !folder.explicit) continue;
      const path = this.#path(name);
      if (Deno.build.os !== "windows") Deno.chmodSync(path, folder.mode);
      if (folder.mtime) this.#times.set(path, folder.mtime);
    }
  }

  #mode(mode: number): number {
    return mode & 0o777 & ~this.#umask;
  }

  /** Name of an entry in the tree; undefined: it is stripped. */
  #place(components: string[], isFolder: boolean): string | undefined {
    const rest = this.#dropLeading(components);
    const first = rest[0];
    if (first === undefined) {
      if (isFolder || components.length > 0) return undefined;
      throw this.#faults.make("UNSAFE", "would replace the top folder");
    }
    const name = rest.join("/");
    this.#guard?.check(name, this.#faults);
    if (this.#top === null) return name;
    const below = isFolder || rest.length > 1;
    if (this.#top === undefined) {
      this.#top = below ? first : null;
      if (below) {
        const mode = this.#mode(0o777);
        this.#folders.set(first, { explicit: false, mode, mtime: undefined });
      }
    } else if (first !== this.#top || !below) {
      this.#restoreTop(this.#top);
    }
    return name;
  }

  #dropLeading(components: string[]): string[] {
    return this.#strip === "auto" || this.#strip === 0
      ? components
      : components.slice(this.#strip);
  }

  #path(name: string): string {
    if (typeof this.#top !== "string") return `${this.#into}/${name}`;
    return this.#into + name.slice(this.#top.length);
  }

  /** Puts the dropped top folder back, as there is something beside it. */
  #restoreTop(top: string): void {
    // Moved as a whole first: the folder may hold something of its own name.
    const name = `.clibs-${randomBytes(8).toString("hex")}`;
    const children = [...Deno.readDirSync(this.#into)];
    Deno.mkdirSync(`${this.#into}/${name}`);
    for (const child of children) {
      Deno.renameSync(
        `${this.#into}/${child.name}`,
        `${this.#into}/${name}/${child.name}`,
      );
    }
    Deno.renameSync(`${this.#into}/${name}`, `${this.#into}/${top}`);
    this.#top = null;
  }

  #makeParents(name: string): void {
    const end = name.lastIndexOf("/");
    if (end < 0 || this.#folders.has(name.slice(0, end))) return;
    for (let slash = name.indexOf("/"); slash >= 0;) {
      const parent = name.slice(0, slash);
      if (!this.#folders.has(parent)) {
        const folder = {
          explicit: false,
          mode: this.#mode(0o777) | 0o700,
          mtime: undefined,
        };
        this.#makeFolder(parent, folder);
        this.#folders.set(parent, folder);
      }
      slash = name.indexOf("/", slash + 1);
    }
  }

  #makeFolder(name: string, folder: Folder): void {
    const target = this.#links.get(name);
    if (target !== undefined) {
      throw this.#faults.make("UNSAFE", "would be written through a symlink", {
        symlink: name,
        target,
      });
    }
    try {
      Deno.mkdirSync(this.#path(name), { mode: folder.mode });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      throw this.#faults.make("UNSAFE", "would replace a file by a folder", {
        file: name,
      });
    }
  }

  #refuseUnlessFile(name: string): void {
    if (this.#folders.has(name) || this.#links.has(name)) {
      throw this.#duplicate();
    }
  }

  #duplicate(): Error {
    return this.#faults.make(
      "UNSAFE",
      "would replace an earlier entry of the same name but another type",
    );
  }

  #leaves(target: string): Error {
    return this.#faults.make("UNSAFE", "is a symlink that leaves the tree", {
      target,
    });
  }
}

function ignoresCase(folder: string): boolean {
  const name = `.clibs-${randomBytes(4).toString("hex")}`;
  Deno.writeFileSync(`${folder}/${name}a`, new Uint8Array());
  try {
    return lstatIfExists(`${folder}/${name}A`) !== undefined;
  } finally {
    Deno.removeSync(`${folder}/${name}a`);
  }
}
