/** The deps of one run while they are collected. */

import { dirname } from "node:path";
import { isFolder } from "../../host/statx.ts";
import { KIND } from "../../trace/access.ts";
import type { DepFlag } from "../model.ts";
import type { DepRecord } from "../state/record.ts";
import type { Files } from "./files.ts";

/** A dep that a run found, before its checksum is settled. */
export interface FoundDep extends Omit<DepRecord, "sum"> {
  /** Checksum, if it was taken at the moment of the read. */
  seen?: string;
  /** When it was first read, in nanoseconds since 1970; 0: never. */
  readNs: number;
  /** Whether the first read met something. */
  found: boolean;
  /** Whether the job removed it afterwards. */
  removed: boolean;
}

/** What is known of one dep so far. */
export interface Entry {
  file: string;
  at: number;
  kinds: number;
  flags: Set<DepFlag>;
  readNs: number;
  found: boolean;
  removed: boolean;
  /** Place of the call that declared it; files of one call are parallel. */
  call?: number;
  key?: string;
  codec?: string;
  /** Checksum at the moment of a declared read. */
  seen?: string;
}

/** Deps by name. */
export class Entries {
  readonly #entries = new Map<string, Entry>();
  readonly #files: Files;
  readonly #mayBeMade: (file: string) => "yes" | "maybe" | "no";

  /** @param mayBeMade See the options of a fold. */
  constructor(
    files: Files,
    mayBeMade: (file: string) => "yes" | "maybe" | "no",
  ) {
    this.#files = files;
    this.#mayBeMade = mayBeMade;
  }

  /** Whether a file is one of them. */
  has(file: string): boolean {
    return this.#entries.has(file);
  }

  /** The entry of a file; undefined if there is none. */
  get(file: string): Entry | undefined {
    return this.#entries.get(file);
  }

  /** All of them. */
  values(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** The entry of a file, made if there is none. */
  at(file: string, at: number): Entry {
    let entry = this.#entries.get(file);
    if (!entry) {
      entry = {
        file,
        at,
        kinds: 0,
        flags: new Set(),
        readNs: 0,
        found: false,
        removed: false,
      };
      this.#entries.set(file, entry);
    }
    return entry;
  }

  /** What is to be made in the place of a folder may be a link. */
  addFoldersAbove(file: string, at: number, readNs: number): void {
    for (
      let dir = dirname(file);
      dir !== "." && dir !== "/";
      dir = dirname(dir)
    ) {
      const may = this.#mayBeMade(dir);
      if (may === "no") continue;
      const { stat } = this.#files.look(dir);
      const isOne = stat !== undefined && isFolder(stat);
      // A star pattern matches many a folder that no job makes.
      if (isOne && may === "maybe") continue;
      const entry = this.at(dir, at);
      // One made since has a date that tells.
      entry.found ||= stat !== undefined && !isOne;
      entry.kinds |= KIND.link | KIND.stat;
      entry.readNs ||= readNs;
    }
  }

  /**
   * All deps in their order. Numbers of groups: 0 for static deps, one for each
   * call, one for each read.
   *
   * @param told What verbose calls told, by file.
   */
  deps(told: ReadonlyMap<string, string>): FoundDep[] {
    const entries = [...this.values()].sort((a, b) => a.at - b.at);
    let group = 0;
    let lastCall: number | undefined;
    const isStatic = (entry: Entry) => entry.key !== undefined;
    const ordered = [
      ...entries.filter(isStatic),
      ...entries.filter((entry) => !isStatic(entry)),
    ];
    return ordered.map((entry) => {
      if (!isStatic(entry)) {
        if (entry.call === undefined || entry.call !== lastCall) group++;
        lastCall = entry.call;
      }
      return {
        file: entry.file,
        ...(entry.codec !== undefined ? { codec: true } : {}),
        kinds: entry.kinds,
        flags: [...entry.flags],
        group,
        ...(entry.key !== undefined ? { key: entry.key } : {}),
        ...(told.has(entry.file) ? { told: told.get(entry.file)! } : {}),
        readNs: entry.readNs,
        found: entry.found,
        removed: entry.removed,
        ...(entry.seen === undefined ? {} : { seen: entry.seen }),
      };
    });
  }
}
