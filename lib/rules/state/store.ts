/**
 * What a repo remembers: its jobs, and its files as jobs left them.
 *
 * Each run is appended to a journal under `LMAKE/`. A database beside it
 * answers questions; it is brought up to the journal when it is opened, and
 * made anew from it if it is torn or of another version.
 */

import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { removeFile } from "../../host/files.ts";
import { PRIVATE } from "../root.ts";
import {
  create,
  isEmpty,
  isGood,
  isThere,
  metaOf,
  openOrUndefined,
} from "./database.ts";
import {
  Journal,
  journalPath,
  type JournalPlace,
  newestGeneration,
} from "./journal.ts";
import type { JobLog, JobRecord } from "./record.ts";

/** A file as it was when it was last looked at. */
export interface FileRecord {
  /** Checksum. */
  sum: string;
  /** Status that spares a look at the content; empty: look. */
  stamp: string;
  /** Job that wrote it; empty: a source, or nobody's. */
  writer: string;
}

/** Runs that are kept in memory before the database gets them. */
const BATCH = 256;

/** Marks that users set: `f` freezes, `t` does not trigger. */
export type Mark = "f" | "t";

/** The memory of a repo. */
export class Store {
  /** Whether the database had to be made anew from the jobs' records. */
  readonly rebuilt: boolean;
  readonly #db: DatabaseSync;
  readonly #folder: string;
  #journal: Journal;
  #generation: number;
  /** Runs that are in the journal and not yet in the database. */
  readonly #unsaved = new Map<string, JournalPlace | undefined>();
  readonly #jobs = new Map<string, JobRecord | undefined>();
  readonly #files = new Map<string, FileRecord | undefined>();
  readonly #dirty = new Map<string, FileRecord>();
  readonly #readOnly: boolean;
  #getJob: StatementSync;
  #getFile: StatementSync;

  /**
   * Opens the memory of a repo, making it if there is none.
   *
   * @param root Root of the repo.
   * @param options.readOnly Changes nothing on disk; whatever is put is lost.
   */
  static async open(
    root: string,
    options: { readOnly?: boolean } = {},
  ): Promise<Store> {
    const { DatabaseSync } = await import("node:sqlite");
    const folder = join(root, PRIVATE);
    const path = join(folder, "state.db");
    const readOnly = options.readOnly ?? false;
    if (readOnly) {
      const there = isThere(path);
      // As it is, with what a running command has written. That takes files
      // beside it; where they cannot be made nobody writes, but a command
      // that was killed may have left there what is not in it.
      const addresses = !there
        ? []
        : isThere(`${path}-wal`)
        ? [path]
        : [path, `file:${encodeURI(path)}?immutable=1`];
      for (const address of addresses) {
        const db = openOrUndefined(DatabaseSync, address, true);
        if (db && isGood(db)) return new Store(db, folder, true, false);
        db?.close();
      }
      const memory = new DatabaseSync(":memory:");
      create(memory);
      return new Store(memory, folder, true, there);
    }
    Deno.mkdirSync(folder, { recursive: true });
    let db = openOrUndefined(DatabaseSync, path);
    const isNew = db !== undefined && isEmpty(db);
    if (db && (isNew || isGood(db))) {
      if (isNew) create(db);
      return new Store(db, folder, false, false);
    }
    db?.close();
    for (const suffix of ["", "-wal", "-shm"]) removeFile(path + suffix);
    db = new DatabaseSync(path);
    create(db);
    return new Store(db, folder, false, true);
  }

  private constructor(
    db: DatabaseSync,
    folder: string,
    readOnly: boolean,
    rebuilt: boolean,
  ) {
    this.#db = db;
    this.#folder = folder;
    this.#readOnly = readOnly;
    this.rebuilt = rebuilt;
    this.#getJob = db.prepare("SELECT record FROM job WHERE id = ?");
    this.#getFile = db.prepare(
      "SELECT sum, stamp, writer FROM file WHERE name = ?",
    );
    const { generation, synced } = metaOf(db);
    this.#generation = generation || newestGeneration(folder) || 1;
    this.#journal = new Journal(
      journalPath(folder, this.#generation),
      !readOnly,
    );
    this.#replay(generation === 0 ? 0 : synced);
  }

  /** The last run of a job; undefined if it never ran. */
  job(id: string): JobRecord | undefined {
    if (this.#jobs.has(id)) return this.#jobs.get(id);
    const row = this.#getJob.get(id);
    const record = row ? JSON.parse(row["record"] as string) : undefined;
    this.#jobs.set(id, record);
    return record;
  }

  /** All jobs that ever ran, in order of their names. */
  *jobs(): Generator<JobRecord> {
    this.flush();
    for (
      const row of this.#db.prepare("SELECT id FROM job ORDER BY id").all()
    ) {
      const record = this.job(row["id"] as string);
      if (record) yield record;
    }
  }

  /** Those of all jobs that may have to do with a file, as a dep or a target. */
  *jobsAbout(file: string): Generator<JobRecord> {
    this.flush();
    // Whatever may be written in another way is looked for by parsing.
    const isPlain = /^[\w./+,=@%~-]+$/.test(file);
    const rows = this.#db.prepare(
      "SELECT id FROM job WHERE instr(record, ?) > 0 ORDER BY id",
    ).all(isPlain ? file : "");
    for (const row of rows) {
      const record = this.job(row["id"] as string);
      if (record) yield record;
    }
  }

  /** Notes a run of a job, at once and for good. */
  putJob(record: JobRecord, log?: JobLog): void {
    this.#jobs.set(record.id, record);
    if (this.#readOnly) return;
    const before = log ?? this.log(record.id);
    const place = this.#journal.append({
      record,
      ...(before ? { log: before } : {}),
    });
    this.#unsaved.set(record.id, place);
    if (this.#unsaved.size >= BATCH) this.flush();
  }

  /** Forgets a job. */
  removeJob(id: string): void {
    this.#jobs.set(id, undefined);
    if (this.#readOnly) return;
    this.#journal.append({ removed: id });
    this.#unsaved.set(id, undefined);
  }

  /** What is kept of a job's last run for people. */
  log(id: string): JobLog | undefined {
    const place = this.#unsaved.get(id) ?? this.#placeOf(id);
    const entry = place && this.#journal.read(place);
    return entry && "record" in entry && entry.record.id === id
      ? entry.log
      : undefined;
  }

  #placeOf(id: string): JournalPlace | undefined {
    const row = this.#db.prepare("SELECT at, size FROM job WHERE id = ?")
      .get(id);
    return row as unknown as JournalPlace | undefined;
  }

  /** A file as it was last seen. */
  file(name: string): FileRecord | undefined {
    if (this.#files.has(name)) return this.#files.get(name);
    const row = this.#getFile.get(name) as unknown as FileRecord | undefined;
    this.#files.set(name, row);
    return row;
  }

  /** Notes a file; kept in memory until {@linkcode flush}. */
  putFile(name: string, record: FileRecord): void {
    this.#files.set(name, record);
    this.#dirty.set(name, record);
  }

  /** Names of the files that some job wrote. */
  writtenFiles(): { file: string; writer: string }[] {
    this.flush();
    return this.#db.prepare(
      "SELECT name AS file, writer FROM file WHERE writer <> '' ORDER BY name",
    ).all() as unknown as { file: string; writer: string }[];
  }

  /** Forgets a file. */
  removeFile(name: string): void {
    this.#files.set(name, undefined);
    this.#dirty.delete(name);
    if (!this.#readOnly) {
      this.#db.prepare("DELETE FROM file WHERE name = ?").run(name);
    }
  }

  /** Writes what is only in memory. */
  flush(): void {
    if (this.#readOnly) return;
    if (this.#dirty.size === 0 && this.#unsaved.size === 0) return;
    const put = this.#db.prepare(
      "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)",
    );
    this.#db.exec("BEGIN IMMEDIATE");
    for (const [name, { sum, stamp, writer }] of this.#dirty) {
      put.run(name, sum, stamp, writer);
    }
    this.#saveJobs();
    this.#saveMeta();
    this.#db.exec("COMMIT");
    this.#dirty.clear();
  }

  #saveJobs(): void {
    const put = this.#db.prepare(
      "INSERT OR REPLACE INTO job VALUES (?, ?, ?, ?)",
    );
    const remove = this.#db.prepare("DELETE FROM job WHERE id = ?");
    for (const [id, place] of this.#unsaved) {
      const record = this.#jobs.get(id);
      if (!place || !record) remove.run(id);
      else put.run(id, JSON.stringify(record), place.at, place.size);
    }
    this.#unsaved.clear();
  }

  #saveMeta(): void {
    this.#db.prepare("INSERT OR REPLACE INTO meta VALUES (0, ?, ?)")
      .run(this.#generation, this.#journal.end);
  }

  /** Files and jobs that the user marked. */
  marks(): Map<string, Mark> {
    const rows = this.#db.prepare("SELECT name, mark FROM mark").all();
    return new Map(
      rows.map((row) => [row["name"] as string, row["mark"] as Mark]),
    );
  }

  /** Sets a mark, or removes it. */
  setMark(name: string, mark: Mark | undefined): void {
    if (mark === undefined) {
      this.#db.prepare("DELETE FROM mark WHERE name = ?").run(name);
    } else {
      this.#db.prepare("INSERT OR REPLACE INTO mark VALUES (?, ?)")
        .run(name, mark);
    }
  }

  /** Closes the database; rewrites the journal if most of it is dead. */
  close(): void {
    this.flush();
    if (!this.#readOnly && this.#journal.isWasteful(this.#liveBytes())) {
      this.compact();
    }
    this.#journal.close();
    this.#db.close();
  }

  /** Lines of the journal that are torn, or of another version. */
  tornLines(): number {
    let torn = 0;
    for (const { entry } of this.#journal.entries()) if (!entry) torn++;
    return torn;
  }

  #liveBytes(): number {
    const row = this.#db.prepare("SELECT sum(size) AS bytes FROM job").get();
    return Number(row?.["bytes"] ?? 0);
  }

  /** Rewrites the journal with the last run of each job only. */
  compact(): void {
    this.flush();
    const old = this.#generation;
    const path = journalPath(this.#folder, old + 1);
    removeFile(`${path}.tmp`);
    const next = new Journal(`${path}.tmp`, true);
    const rows = this.#db.prepare("SELECT id, at, size FROM job").all();
    this.#db.exec("BEGIN IMMEDIATE");
    const put = this.#db.prepare(
      "UPDATE job SET at = ?, size = ? WHERE id = ?",
    );
    for (const row of rows) {
      const entry = this.#journal.read(row as unknown as JournalPlace);
      const id = row["id"] as string;
      // What people were told is lost with a line; what the job is, is not.
      const record = this.job(id)!;
      const place = next.append(
        entry && "record" in entry ? entry : { record },
      );
      put.run(place.at, place.size, id);
    }
    next.sync();
    // Only a whole one has the name of a journal.
    Deno.renameSync(`${path}.tmp`, path);
    this.#journal.close();
    this.#journal = next;
    this.#generation = old + 1;
    this.#saveMeta();
    this.#db.exec("COMMIT");
    removeFile(journalPath(this.#folder, old));
  }

  /** Takes in what the journal says beyond what the database knows. */
  #replay(from: number): void {
    if (from > this.#journal.end) from = 0;
    if (from === this.#journal.end) return;
    const written = new Map<string, { record: JobRecord; sum: string }>();
    for (const { entry, at, size } of this.#journal.entries(from)) {
      if (!entry) continue;
      if ("removed" in entry) {
        this.#jobs.set(entry.removed, undefined);
        this.#unsaved.set(entry.removed, undefined);
        continue;
      }
      const { record } = entry;
      this.#jobs.set(record.id, record);
      this.#unsaved.set(record.id, { at, size });
      for (const { file, sum } of record.targets) {
        const other = written.get(file);
        if (other && other.record.startedMs > record.startedMs) continue;
        written.set(file, { record, sum });
      }
    }
    for (const [file, { record, sum }] of written) {
      this.putFile(file, { sum, stamp: "", writer: record.id });
    }
    if (this.#readOnly) this.#saveToMemory();
    else this.flush();
  }

  /** What is looked for by content is looked for in the database. */
  #saveToMemory(): void {
    try {
      this.#saveJobs();
    } catch {
      // A database on disk that may not be written: what is new is known by id.
    }
  }
}
