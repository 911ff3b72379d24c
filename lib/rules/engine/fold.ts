/** Turns what a job accessed and declared into its deps, targets and mistakes. */

import { NO_FILE } from "../../host/checksum.ts";
import { isFolder } from "../../host/statx.ts";
import { type Access, type AccessLog, KIND } from "../../trace/access.ts";
import type { DepFlag, TargetFlag } from "../model.ts";
import type { TargetRecord } from "../state/record.ts";
import { Entries, type FoundDep } from "./entries.ts";
import type { Files } from "./files.ts";
import type { JobNotes } from "./session.ts";
import type { JobState } from "./state.ts";

export type { FoundDep };

/** What a run comes down to. */
export interface Folded {
  /** In order of first access, static ones first. */
  deps: FoundDep[];
  /** In order of first write. */
  targets: TargetRecord[];
  /** What the job must not have done, in sentences. */
  problems: string[];
  /** Star targets that it saw from before: they are removed, and it runs again. */
  preexisting: string[];
  /** Folders that it was allowed to list, and did. */
  listed: string[];
}

const KINDS = KIND.regular | KIND.link | KIND.stat;

/** How a run is folded. */
export interface FoldOptions {
  /** Whether a file is a source. */
  isSource(file: string): boolean;
  /** Whether a name is that of a source, or some rule's target. */
  mayBeMade(file: string): "yes" | "maybe" | "no";
  /** Name of the target that standard output went to. */
  stdoutTarget?: string;
  /** Name of the dep that standard input came from. */
  stdinDep?: string;
  /** Whether accesses were not traced: all static deps count as read. */
  untraced: boolean;
  /** Whether sources may be written. */
  sourcesOk: boolean;
}

/** Folds a run. */
export function fold(
  state: JobState,
  log: AccessLog,
  notes: JobNotes,
  files: Files,
  options: FoldOptions,
): Folded {
  return new Folding(state, log, notes, files, options).result();
}

class Folding {
  readonly #state: JobState;
  readonly #notes: JobNotes;
  readonly #files: Files;
  readonly #options: FoldOptions;
  readonly #log: AccessLog;
  readonly #entries: Entries;
  readonly #targets: (TargetRecord & { at: number })[] = [];
  readonly #problems: string[] = [];
  readonly #preexisting: string[] = [];
  readonly #listed: string[] = [];

  constructor(
    state: JobState,
    log: AccessLog,
    notes: JobNotes,
    files: Files,
    options: FoldOptions,
  ) {
    this.#state = state;
    this.#log = log;
    this.#notes = notes;
    this.#files = files;
    this.#options = options;
    this.#entries = new Entries(files, options.mayBeMade);
  }

  result(): Folded {
    this.#addStatics();
    for (const access of this.#log.accesses.values()) {
      const file = this.#files.name(access.path);
      if (file === undefined) continue;
      this.#addAccess(file, access);
    }
    this.#addNotes();
    this.#addStaticTargets();
    return {
      deps: this.#entries.deps(this.#notes.told),
      targets: this.#targets.sort((a, b) => a.at - b.at)
        .map(({ at: _, ...target }) => target),
      problems: [...this.#problems, ...this.#notes.problems],
      preexisting: this.#preexisting,
      listed: this.#listed,
    };
  }

  #addStatics(): void {
    const { stdinDep, untraced } = this.#options;
    for (const { key, pattern, flags } of this.#state.statics) {
      const isStdin = pattern === stdinDep;
      const entry = this.#entries.at(pattern, 0);
      entry.key ??= key;
      if (isStdin || untraced) {
        entry.kinds |= KINDS;
        entry.found = true;
      }
      for (const flag of flags) entry.flags.add(flag);
      for (const flag of this.#state.depFlags(pattern)) entry.flags.add(flag);
    }
    for (const file of this.#state.attributeFiles.keys()) {
      const entry = this.#entries.at(file, 0);
      entry.kinds |= KINDS;
    }
  }

  #addAccess(file: string, access: Access): void {
    const official = file === "" ? undefined : this.#state.officialFlags(file);
    const side = this.#state.sideFlags(file);
    const declared = this.#notes.targetFlags(file);
    const writes = access.firstWrite !== 0;
    const flags = new Set<TargetFlag | DepFlag>([
      ...official?.flags ?? [],
      ...side ?? [],
      ...declared?.flags ?? [],
    ]);
    if (flags.has("ignore") && !declared) return;
    const isIgnoredLate = declared?.flags.has("ignore") ?? false;
    const first = Math.min(
      access.firstRead || Infinity,
      access.firstWrite || Infinity,
    );
    if (isIgnoredLate && first > declared!.at) return;
    const isTarget = official !== undefined || side !== undefined;
    const isFreeSource = this.#options.sourcesOk &&
      this.#options.isSource(file);
    const allowedAt = isTarget || isFreeSource
      ? 0
      : declared?.flags.has("allow")
      ? declared.at
      : Infinity;
    if (access.kinds & KIND.readdir) this.#checkReaddir(file, flags, access);
    if (file === "") return;
    const isRefused = writes && !this.#isScratchOfOurs(file) &&
      !this.#addWrite(file, access, { official, flags, allowedAt });
    // That it is also a dep would only say the same again.
    if (isRefused) return;
    // What is a target from the start is never a dep; another one is if it was
    // read before it became one.
    const isRead = (access.kinds & KINDS) !== 0 && access.firstRead !== 0 &&
      access.firstRead < (access.firstWrite || Infinity) &&
      access.firstRead < allowedAt && !flags.has("incremental");
    if (isRead) this.#addRead(file, access, writes);
  }

  #isScratchOfOurs(file: string): boolean {
    return file === this.#options.stdoutTarget;
  }

  #checkReaddir(
    file: string,
    flags: ReadonlySet<string>,
    access: Access,
  ): void {
    const dep = this.#notes.depFlags(file, access.firstRead);
    const statics = [
      ...this.#state.depFlags(file),
      ...this.#state.statics.filter(({ pattern }) => pattern === file)
        .flatMap((spec) => spec.flags),
    ];
    const isFree = this.#state.attributes!.readdirOk ||
      flags.has("incremental") || flags.has("ignore") ||
      flags.has("readdirOk") || dep.has("readdirOk") || dep.has("ignore") ||
      statics.includes("readdirOk") || statics.includes("ignore");
    if (access.met === "absent") return;
    if (isFree) {
      this.#listed.push(file);
      return;
    }
    const stat = this.#files.look(file).stat;
    // A folder of its own making that is gone again.
    if (!stat && access.folder) return;
    this.#problems.push(
      `reads the folder ${
        file || "."
      }: what it holds depends on what was built; ` +
        `declare it with readdirOk, or list it by name`,
    );
  }

  /** Returns whether the write may stand. */
  #addWrite(
    file: string,
    access: Access,
    { official, flags, allowedAt }: {
      official: { key: string; flags: TargetFlag[] } | undefined;
      flags: Set<TargetFlag | DepFlag>;
      allowedAt: number;
    },
  ): boolean {
    const look = this.#files.look(file);
    const isThere = look.stat !== undefined && !isFolder(look.stat);
    if (look.stat && isFolder(look.stat) && !access.moved) return true;
    const wasSeen = access.sawOld ||
      access.firstRead !== 0 && access.firstRead < access.firstWrite &&
        access.met === "found" && (access.kinds & KIND.regular) !== 0;
    const isSource = this.#options.isSource(file);
    const sourceOk = flags.has("sourceOk") || this.#options.sourcesOk;
    if (!isThere) {
      if (!isSource || sourceOk) return true;
      this.#problems.push(`removed the source ${file}`);
      return false;
    }
    if (isSource && !sourceOk) {
      this.#problems.push(
        `wrote to the source ${file}: declare it with sourceOk`,
      );
      return false;
    }
    if (allowedAt > access.firstWrite) {
      this.#problems.push(
        allowedAt === Infinity
          ? `unexpected write to ${file}: name it among targets, or declare it with target()`
          : `unexpected write to ${file}: it was declared as a target only afterwards`,
      );
      return false;
    }
    if (
      access.firstRead !== 0 && access.firstRead < allowedAt &&
      !flags.has("sourceOk")
    ) {
      this.#problems.push(
        `${file} is a dep and a target: it was read before it was declared`,
      );
      return false;
    }
    // What was there before it ran decides what it writes.
    if (
      wasSeen && access.existed && !flags.has("incremental") && !isSource &&
      allowedAt === 0
    ) {
      this.#preexisting.push(file);
    }
    this.#targets.push({
      file,
      sum: look.sum,
      flags: [...flags] as TargetFlag[],
      ...(official ? { key: official.key } : {}),
      official: official !== undefined,
      at: access.firstWrite,
    });
    return true;
  }

  #addRead(file: string, access: Access, writes: boolean): void {
    const look = this.#files.look(file);
    // A folder, and nothing at all, are the same to a job.
    if (access.met === "found" && look.stat && isFolder(look.stat)) return;
    if (access.folder) return;
    const flags = this.#notes.depFlags(file, access.firstRead);
    const fixed = this.#state.depFlags(file);
    if (flags.has("ignore") || fixed.includes("ignore")) {
      if (!this.#entries.get(file)?.key) return;
    }
    // Its own scratch file: it was not there, was made, and is gone.
    if (writes && access.met === "absent" && !look.stat) return;
    const entry = this.#entries.at(file, access.firstRead);
    entry.kinds |= access.kinds & KINDS;
    entry.readNs = access.readNs;
    entry.found = access.met === "found";
    entry.removed = writes && entry.found && !look.stat;
    this.#entries.addFoldersAbove(file, access.firstRead, access.readNs);
  }

  #addNotes(): void {
    for (const note of this.#notes.depends) {
      for (const file of note.files) {
        if (this.#state.officialFlags(file)) continue;
        const isReaddir = note.flags.has("readdirOk") && !note.read;
        if (
          note.flags.has("ignore") || (isReaddir && !this.#entries.has(file))
        ) {
          const entry = this.#entries.get(file);
          if (entry) { for (const flag of note.flags) entry.flags.add(flag); }
          continue;
        }
        const isNew = !this.#entries.has(file);
        const entry = this.#entries.at(file, note.at);
        entry.at = Math.min(entry.at, note.at);
        if (isNew || entry.at === note.at) entry.call = note.at;
        this.#entries.addFoldersAbove(file, note.at - 1e-7, 0);
        for (const flag of note.flags) entry.flags.add(flag);
        if (note.read) {
          entry.kinds |= KIND.regular | KIND.link;
          if (entry.readNs === 0) entry.seen ??= note.seen.get(file);
        }
      }
    }
    for (const { at, file, sum } of this.#notes.links) {
      const entry = this.#entries.at(file, at);
      entry.at = Math.min(entry.at, at);
      entry.kinds |= KIND.link;
      if (entry.readNs === 0) entry.seen ??= sum;
    }
    for (const { at, key, answer } of this.#notes.codecs) {
      const entry = this.#entries.at(key, at);
      entry.codec = answer;
      entry.kinds = KINDS;
    }
    for (const entry of this.#entries.values()) {
      if (entry.codec !== undefined) continue;
      for (const flag of this.#notes.depFlags(entry.file, entry.at)) {
        entry.flags.add(flag);
      }
      for (const flag of this.#state.depFlags(entry.file)) {
        entry.flags.add(flag);
      }
    }
    for (const note of this.#notes.targets) {
      if (!note.write || !note.flags.has("allow")) continue;
      for (const file of note.files) {
        if (this.#targets.some((target) => target.file === file)) continue;
        const look = this.#files.look(file);
        if (look.sum === NO_FILE) continue;
        this.#targets.push({
          file,
          sum: look.sum,
          flags: [...note.flags] as TargetFlag[],
          official: this.#state.officialFlags(file) !== undefined,
          at: note.at,
        });
      }
    }
  }

  /** Static targets count whether or not they were seen being written. */
  #addStaticTargets(): void {
    for (const { key, file, flags } of this.#state.job.targets) {
      if (file === undefined) continue;
      const look = this.#files.look(file);
      const isThere = look.sum !== NO_FILE;
      const known = this.#targets.find((target) => target.file === file);
      if (known) continue;
      if (!isThere && !flags.includes("phony") && !flags.includes("optional")) {
        this.#problems.push(`missing target: ${file} was not made`);
      }
      // What is there may be another job's, which may make it as well.
      const isAsItWas = !isThere || !this.#options.untraced &&
          file !== this.#options.stdoutTarget && !flags.includes("incremental");
      if (isAsItWas && flags.includes("optional")) continue;
      this.#targets.push({
        file,
        sum: look.sum,
        flags,
        key,
        official: true,
        at: 0,
      });
    }
  }
}
