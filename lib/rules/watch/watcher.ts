/**
 * Which files of a repo are what they were when they were last looked at,
 * without a look at them.
 *
 * A file is trusted from the moment at which it was found to be as its record
 * says while it was watched already, until the first event that could mean
 * anything else. Events are taken from the kernel's queue whenever the question
 * is asked: a change that was made before has its event there. Whatever is not
 * sure is not trusted, and so looked at: a file with another name, one that
 * somebody has open for writing, what lies beyond a link or a mount, and all
 * there is once events were lost or a folder was moved.
 *
 * Only what was asked for is watched, and its folders one by one from the root
 * down, so that there is no folder whose files came before its watch.
 */

import { join } from "node:path";
import { NO_FILE } from "../../host/checksum.ts";
import {
  isFile,
  isFolder,
  isLink,
  lstatNs,
  stampText,
} from "../../host/statx.ts";
import { PRIVATE } from "../root.ts";
import type { FileRecord } from "../state/store.ts";
import { Answers } from "./answers.ts";
import { CommandWatch, type Watched } from "./command.ts";
import { EVENT, type Event, Inotify, type Refusal } from "./kernel.ts";
import { fairShare, placeOf, unwatchable } from "./place.ts";

/** How long names are taken under watch at a time, and between two times. */
const SLICE_MS = 5;

/** How a repo is watched. */
export interface WatchOptions {
  /** Most watches. Default: half of what the system lets a user have. */
  maxWatches?: number;
}

/** A folder that is watched; its names are, as far as somebody asked. */
interface Folder {
  /**
   * By a name in it that is no folder: names below that one which, for that
   * reason, are not there.
   */
  absent: Map<string, string[]>;
}

/** Where a name is seen to change. */
interface Above {
  folder: Folder;
  /** The name in `folder` above it that is no folder; undefined if it is in `folder`. */
  missing?: string;
}

/** Watches a repo. */
export class Watcher implements Watched {
  /** Root of the repo. */
  readonly root: string;
  /** What commands were told, as long as it holds. */
  readonly answers = new Answers();
  readonly looksAgain = false;
  readonly #maxWatches: number;
  #inotify: Inotify | undefined;
  #place = "";
  #device = 0;
  #changes = 0;
  #isFull = false;
  #problem: string | undefined;
  #told: string | undefined;
  #commands = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** By name: what it is; null for no file. */
  readonly #trusted = new Map<string, FileRecord | null>();
  /** Names to be taken under watch, as they were when they were seen. */
  readonly #waiting = new Map<string, FileRecord | null>();
  /** Names of files by their watches. */
  readonly #files = new Map<number, string>();
  /** Names of folders by their watches. */
  readonly #folderNames = new Map<number, string>();
  /** By name; undefined: not to be watched. */
  readonly #folders = new Map<string, Folder | undefined>();

  /** Begins with nothing trusted. */
  constructor(root: string, options: WatchOptions = {}) {
    this.root = root;
    this.#maxWatches = options.maxWatches ?? fairShare();
    this.#problem = unwatchable(root);
    if (this.#problem === undefined) this.#restart();
  }

  /** How many names are trusted. */
  get size(): number {
    return this.#trusted.size;
  }

  /** Grows when something that was trusted is trusted no more. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * Begins a command.
   *
   * @param warn Gets, once, why not all can be watched.
   */
  begin(warn: (problem: string) => void): CommandWatch {
    clearTimeout(this.#timer);
    this.#commands++;
    this.answers.begin();
    if (this.#inotify && placeOf(this.root) !== this.#place) this.#restart();
    if (this.#problem !== this.#told) {
      this.#told = this.#problem;
      warn(this.#problem!);
    }
    return new CommandWatch(this, () => {
      this.#commands--;
      if (this.#commands === 0) this.#later();
    });
  }

  /** Takes in all that happened until now. */
  catchUp(): void {
    if (!this.#inotify) return;
    let isLost = false;
    for (const event of this.#inotify.read()) {
      if (!isLost) isLost = !this.#take(event);
    }
    if (isLost) this.#restart();
  }

  /**
   * What a file is: its record, if that still tells it; null if there is no
   * file; undefined if that is not sure. As of the last {@linkcode catchUp}.
   */
  trusted(name: string): FileRecord | null | undefined {
    return this.#trusted.get(name);
  }

  /** Has a name trusted in future that was just found to be as its record says. */
  want(name: string, record: FileRecord | null): void {
    if (!this.#inotify || this.#isFull) return;
    if (name === "" || name.startsWith("/") || name.startsWith("../")) return;
    if (name === PRIVATE || name.startsWith(`${PRIVATE}/`)) return;
    this.#waiting.set(name, record);
  }

  /**
   * Takes names under watch that are waited for.
   *
   * @param limitMs How long at most.
   * @returns Whether none are left.
   */
  adopt(limitMs = Infinity): boolean {
    const end = performance.now() + limitMs;
    this.catchUp();
    for (const [name, record] of this.#waiting) {
      this.#waiting.delete(name);
      try {
        this.#adopt(name, record);
      } catch {
        // A name that nobody may ask about: who looks at it will be told.
      }
      if (performance.now() > end) break;
    }
    return this.#waiting.size === 0;
  }

  /** Trusts nothing any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#forget();
    this.#waiting.clear();
    this.#inotify?.close();
    this.#inotify = undefined;
  }

  /** Takes names under watch while nobody has anything else for us to do. */
  #later(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => {
      if (!this.adopt(SLICE_MS)) this.#later();
    }, SLICE_MS);
  }

  #restart(): void {
    this.#forget();
    this.#inotify?.close();
    this.#isFull = false;
    this.#inotify = Inotify.open();
    if (!this.#inotify) return this.#fail("inotify cannot be had");
    const place = placeOf(this.root);
    const stat = lstatNs(this.root);
    if (place === "" || !stat) return this.#fail("mounts cannot be told");
    this.#place = place;
    this.#device = stat.dev;
  }

  #fail(problem: string): void {
    this.#problem = problem;
    this.#inotify?.close();
    this.#inotify = undefined;
    this.#waiting.clear();
  }

  #forget(): void {
    this.#changes++;
    this.#trusted.clear();
    this.#files.clear();
    this.#folders.clear();
    this.#folderNames.clear();
  }

  /** Takes in an event; false if nothing can be trusted after it. */
  #take({ watch, mask, name }: Event): boolean {
    if (mask & EVENT.overflow) return false;
    const file = this.#files.get(watch);
    if (file !== undefined) {
      this.#files.delete(watch);
      // Whoever opened it may go on without another event.
      if (!(mask & EVENT.ignored)) this.#inotify!.remove(watch);
      this.#drop(file);
      return true;
    }
    const folder = this.#folderNames.get(watch);
    // What comes after a watch was given up.
    if (folder === undefined) return true;
    // It itself was moved, removed, or closed to some.
    if (name === "") return false;
    const full = folder === "" ? name : `${folder}/${name}`;
    if (this.#folders.get(full)) return false;
    // What is there now may be a folder that can be watched.
    this.#folders.delete(full);
    this.#drop(full);
    if (mask & (EVENT.create | EVENT.movedTo)) {
      const { absent } = this.#folders.get(folder)!;
      for (const one of absent.get(name) ?? []) this.#drop(one);
      absent.delete(name);
    }
    return true;
  }

  #drop(name: string): void {
    if (this.#trusted.delete(name)) this.#changes++;
  }

  // --- beginning to watch

  #adopt(name: string, record: FileRecord | null): void {
    const before = this.#trusted.get(name);
    if (before !== undefined) {
      // Nothing has happened to it; the record may be another that says the same.
      const isSame = before?.stamp === record?.stamp &&
        before?.sum === record?.sum;
      if (isSame) this.#trusted.set(name, record);
      return;
    }
    const slash = name.lastIndexOf("/");
    const above = this.#above(slash < 0 ? "" : name.slice(0, slash));
    if (!above) return;
    const path = join(this.root, name);
    if (!record) {
      const stat = lstatNs(path);
      if (stat && !isFolder(stat)) return;
      const { folder: { absent }, missing } = above;
      if (missing !== undefined) {
        const names = absent.get(missing);
        if (names) names.push(name);
        else absent.set(missing, [name]);
      }
      this.#trusted.set(name, null);
      return;
    }
    if (
      above.missing !== undefined || record.stamp === "" ||
      record.sum === NO_FILE
    ) return;
    const isToBeLink = record.sum.endsWith("-L");
    const watch = this.#watch((inotify) =>
      isToBeLink ? inotify.link(path) : inotify.file(path)
    );
    if (typeof watch !== "number") return;
    const other = this.#files.get(watch);
    if (other !== undefined && other !== name) {
      // One file by two names: an event would not tell of both.
      this.#drop(other);
      return;
    }
    this.#files.set(watch, name);
    const stat = lstatNs(path);
    // Another name may be made later: that is an event of the file.
    const isOurs = stat && stat.dev === this.#device &&
      (isToBeLink ? isLink(stat) : isFile(stat) && stat.nlink === 1);
    if (isOurs && stampText(stat) === record.stamp) {
      this.#trusted.set(name, record);
    } else {
      this.#files.delete(watch);
      this.#inotify!.remove(watch);
    }
  }

  /**
   * The folder whose watch tells when a name in `name` changes: itself, or the
   * deepest one above that is there. Undefined if none does for sure.
   */
  #above(name: string): Above | undefined {
    if (this.#folders.has(name)) {
      const folder = this.#folders.get(name);
      return folder && { folder };
    }
    const slash = name.lastIndexOf("/");
    const above = name === ""
      ? undefined
      : this.#above(slash < 0 ? "" : name.slice(0, slash));
    if (name !== "" && (!above || above.missing !== undefined)) return above;
    const folder = this.#folder(name);
    if (folder !== "absent") return folder && { folder };
    return above &&
      { folder: above.folder, missing: name.slice(slash + 1) };
  }

  #folder(name: string): Folder | "absent" | undefined {
    const path = join(this.root, name);
    const watch = this.#watch((inotify) => inotify.folder(path));
    if (watch === "absent") return "absent";
    if (watch === "noFolder") {
      const stat = lstatNs(path);
      // Names beyond a link are those of something else.
      if (!stat || !isLink(stat)) return "absent";
    }
    if (typeof watch === "number" && !this.#folderNames.has(watch)) {
      const stat = lstatNs(path);
      if (stat && isFolder(stat) && stat.dev === this.#device) {
        const folder: Folder = { absent: new Map() };
        this.#folderNames.set(watch, name);
        this.#folders.set(name, folder);
        return folder;
      }
      this.#inotify!.remove(watch);
    }
    this.#folders.set(name, undefined);
    return undefined;
  }

  #watch(begin: (inotify: Inotify) => number | Refusal): number | Refusal {
    if (!this.#inotify || this.#isFull) return "full";
    const count = this.#files.size + this.#folderNames.size;
    const found = count < this.#maxWatches ? begin(this.#inotify) : "full";
    if (found === "full") {
      this.#isFull = true;
      this.#waiting.clear();
      this.#problem = "there are too many files (fs.inotify.max_user_watches)";
    } else if (found === "noLeases") {
      this.#forget();
      this.#fail("leases are switched off (fs.leases-enable)");
    }
    return found;
  }
}
