/** Entries of a dir table, made in single steps and for whom they shall be. */

import { dirname } from "node:path";
import { pathToBytes } from "../../host/bytes_path.ts";
import {
  removeFile,
  syncDirectory,
  temporaryBeside,
} from "../../host/files.ts";
import { lstatNs, statNs } from "../../host/statx.ts";
import type { DirConfig } from "./dir_config.ts";
import { storePath } from "./dir_layout.ts";

/** Writes what a dir table consists of. */
export class DirFiles {
  readonly #root: string;
  readonly #config: DirConfig;

  /** Makes nothing yet. */
  constructor(root: string, config: DirConfig) {
    this.#root = root;
    this.#config = config;
  }

  /** Stores a value under its checksum, unless it is there. */
  store(sum: string, value: string): void {
    const path = storePath(this.#root, sum);
    if (!lstatNs(path)) this.storeAnew(sum, value);
  }

  /** Stores a value under its checksum, in the place of what is there. */
  storeAnew(sum: string, value: string): void {
    const path = storePath(this.#root, sum);
    this.makeDir(dirname(path));
    const temporary = temporaryBeside(path);
    try {
      const bytes = pathToBytes(value);
      using file = Deno.openSync(temporary, { write: true, createNew: true });
      for (let n = 0; n < bytes.length;) n += file.writeSync(bytes.subarray(n));
      if (this.#config.fileSync === "sync") file.syncSync();
      this.#allow(temporary, 0o444);
      // Two who store a value store the same: either may win.
      Deno.renameSync(temporary, path);
    } catch (error) {
      removeFile(temporary);
      throw error;
    }
    this.sync(dirname(path));
  }

  /** Puts a link in the place of whatever file is there. */
  replaceLink(target: string, path: string): void {
    const temporary = temporaryBeside(path);
    Deno.symlinkSync(target, temporary);
    Deno.renameSync(temporary, path);
    this.sync(dirname(path));
  }

  /** Makes a folder and those above it. */
  makeDir(dir: string): void {
    if (statNs(dir)) return;
    this.makeDir(dirname(dir));
    try {
      Deno.mkdirSync(dir);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return;
      throw error;
    }
    this.#allow(dir, 0o777);
    this.sync(dirname(dir));
  }

  /** Makes other hosts see what was made in a folder, and this one what they made. */
  sync(dir: string): void {
    if (this.#config.fileSync !== "none") syncDirectory(dir);
  }

  /** Gives what was just made to those who may use the table. */
  #allow(path: string, bits: number): void {
    if (this.#config.perm === "none") return;
    const mode = lstatNs(path)?.mode ?? 0;
    const users = this.#config.perm === "group" ? 0o770 : 0o777;
    Deno.chmodSync(path, (mode | (bits & users)) & 0o7777);
  }
}

/** Makes a link; false if there is something already. */
export function makeLink(target: string, path: string): boolean {
  try {
    Deno.symlinkSync(target, path);
    return true;
  } catch (error) {
    // Over NFS also if the answer to our own first try was lost: the caller
    // looks whether it is what was wanted.
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}
