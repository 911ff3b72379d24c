/** Files of a repo: their names, and their checksums with as few looks as can be. */

import { dirname, join } from "node:path";
import { type Checksums, NO_FILE } from "../../host/checksum.ts";
import {
  changedMs,
  isFolder,
  isLink,
  lstatNs,
  stampText,
  type StatNs,
} from "../../host/statx.ts";
import type { FileRecord, Store } from "../state/store.ts";
import { PRIVATE } from "../root.ts";
import type { CommandWatch } from "../watch/command.ts";

/** Milliseconds within which two dates may be the same, however fine a disk's are. */
const TICK_MS = 10;

/** A file at one moment. */
export interface Look {
  /** Checksum; `none` for what is no file. */
  sum: string;
  /** Status in one text; empty if there is nothing. */
  stamp: string;
  /** Status. */
  stat: StatNs | undefined;
}

/** How a file looks that is not there. */
const NOTHING: Look = { sum: NO_FILE, stamp: "", stat: undefined };

/** The files of a repo. */
export class Files {
  /** Root, absolute, without links. */
  readonly root: string;
  /** What vouches for files that need no look, if the repo is watched. */
  readonly watch: CommandWatch | undefined;
  readonly #store: Store;
  readonly #sums: Checksums;
  readonly #tickMs: number;
  readonly #outside: readonly { name: string; path: string }[];

  /**
   * @param sourceDirs Names of source dirs outside the repo, as declared.
   * @param precisionMs Within how much two dates of the disk may be the same.
   * @param watch What vouches for files.
   */
  constructor(
    root: string,
    store: Store,
    sums: Checksums,
    sourceDirs: readonly string[] = [],
    precisionMs: number = TICK_MS,
    watch?: CommandWatch,
  ) {
    this.root = root;
    this.watch = watch;
    this.#store = store;
    this.#sums = sums;
    this.#tickMs = Math.max(precisionMs, TICK_MS);
    this.#outside = sourceDirs
      .map((dir) => dir.replace(/\/+$/, ""))
      .filter((dir) => dir.startsWith("/") || dir.startsWith(".."))
      .map((name) => ({ name, path: join(root, name) }))
      .map(({ name, path }) => ({
        name,
        path: name.startsWith("/") ? name : path,
      }));
  }

  /** Absolute path of a file. */
  path(name: string): string {
    if (name.startsWith("/")) return name;
    // Mostly it is plain, and there are many.
    return name === "" || name.includes("./") || name.includes("//") ||
        name.endsWith(".")
      ? join(this.root, name)
      : `${this.root}/${name}`;
  }

  /**
   * Name of an absolute, canonical path; undefined outside the repo and its
   * source dirs, and for what is private to clibs. The root is ``.
   */
  name(path: string): string | undefined {
    if (path === this.root) return "";
    if (path.startsWith(`${this.root}/`)) {
      const name = path.slice(this.root.length + 1);
      return name === PRIVATE || name.startsWith(`${PRIVATE}/`)
        ? undefined
        : name;
    }
    for (const dir of this.#outside) {
      if (path === dir.path) return dir.name;
      if (path.startsWith(`${dir.path}/`)) {
        return dir.name + path.slice(dir.path.length);
      }
    }
    return undefined;
  }

  /**
   * A file as it is now. Its content is read only if its status is not that
   * of the last time.
   */
  look(name: string): Look {
    const path = this.path(name);
    const stat = lstatNs(path);
    if (!stat) return { sum: NO_FILE, stamp: "", stat };
    if (isFolder(stat)) return { sum: NO_FILE, stamp: "", stat };
    const stamp = stampText(stat);
    const known = this.#store.file(name);
    if (known && known.stamp === stamp) return { sum: known.sum, stamp, stat };
    const sum = this.#sums.file(path, stat);
    return { sum, stamp, stat };
  }

  /**
   * A file as it is now, without a look at it if it is vouched for. There is no
   * status then.
   */
  glance(name: string): Look {
    const vouched = this.#vouched(name);
    if (vouched) return vouched;
    const look = this.look(name);
    let known = this.#store.file(name);
    if (known?.stamp === "" && known.sum === look.sum) {
      // Only what has a stamp can be vouched for.
      const stamp = this.safeStamp(look);
      if (stamp !== "") {
        known = { ...known, stamp };
        this.#store.putFile(name, known);
      }
    }
    this.#saw(name, look, known);
    return look;
  }

  /** A source as it is now, remembered for the next command. */
  lookAtSource(name: string): Look {
    const vouched = this.#vouched(name);
    if (vouched && vouched !== NOTHING) return vouched;
    const look = vouched ?? this.look(name);
    let known = this.#store.file(name);
    const stamp = this.safeStamp(look);
    if (!known || known.stamp !== stamp || known.sum !== look.sum) {
      known = { sum: look.sum, stamp, writer: "" };
      this.#store.putFile(name, known);
    }
    if (!vouched) this.#saw(name, look, known);
    return look;
  }

  #vouched(name: string): Look | undefined {
    const record = this.watch?.vouched(name);
    if (record === null) return NOTHING;
    // Of another record nobody has said that it tells what the file is.
    return record && record === this.#store.file(name)
      ? { sum: record.sum, stamp: record.stamp, stat: undefined }
      : undefined;
  }

  #saw(name: string, look: Look, known: FileRecord | undefined): void {
    const isKnown = known?.stamp === look.stamp && known.sum === look.sum;
    this.watch?.saw(
      name,
      this.path(name),
      look.stamp === "" ? null : isKnown ? known : undefined,
    );
  }

  /**
   * A stamp that may stand for the content later: empty while another write
   * within the same tick of the clock could leave it as it is.
   */
  safeStamp({ stamp, stat }: Look): string {
    if (!stat || stamp === "") return "";
    return Date.now() - changedMs(stat) > this.#tickMs ? stamp : "";
  }

  /** Whether a folder above a file is a link, so that it is not its name. */
  isBeyondLink(name: string): boolean {
    for (let dir = dirname(name); dir !== "." && dir !== "/";) {
      const stat = lstatNs(this.path(dir));
      if (stat && isLink(stat)) return true;
      dir = dirname(dir);
    }
    return false;
  }

  /** Removes a file, and the folders that it leaves empty below the root. */
  remove(name: string): void {
    try {
      Deno.removeSync(this.path(name));
    } catch (error) {
      if (
        !(error instanceof Deno.errors.NotFound) &&
        !(error instanceof Deno.errors.NotADirectory)
      ) throw error;
    }
    this.removeEmptyFolders(dirname(name));
  }

  /** Removes a folder if it is empty, and those above it. */
  removeEmptyFolders(folder: string): void {
    for (let dir = folder; dir !== "." && dir !== ""; dir = dirname(dir)) {
      try {
        Deno.removeSync(this.path(dir));
      } catch {
        return;
      }
    }
  }

  /** Makes the folders above a file. */
  makeFolder(name: string): void {
    const dir = this.path(dirname(name));
    if (!lstatNs(dir)) Deno.mkdirSync(dir, { recursive: true });
  }
}

/**
 * Whether accesses of some kinds tell two states of a file apart.
 *
 * @param kinds Bits: 1 regular, 2 link, 4 stat.
 */
export function differs(was: string, now: string, kinds: number): boolean {
  if (was === now || kinds === 0) return false;
  const a = typeOf(was);
  const b = typeOf(now);
  const REGULAR = 1, LINK = 2, STAT = 4;
  if (a === "R" && b === "R") return (kinds & REGULAR) !== 0;
  if (a === "L" && b === "L") return (kinds & LINK) !== 0;
  if (a === "none" || b === "none") {
    const there = a === "none" ? b : a;
    return (kinds & ((there === "L" ? LINK : REGULAR) | STAT)) !== 0;
  }
  return (kinds & (REGULAR | LINK)) !== 0;
}

function typeOf(sum: string): "R" | "L" | "none" {
  return sum === NO_FILE ? "none" : sum.endsWith("-L") ? "L" : "R";
}
