/**
 * The journal of a repo: the record of every run, one line each, appended and
 * never changed. What it says is true; the database is made from it.
 */

import { join } from "node:path";
import { sha256Hex } from "../../host/digest.ts";
import { sortedEntries } from "../../host/files.ts";
import type { JobLog, JobRecord } from "./record.ts";

/**
 * Version of lines.
 *
 * Bump it when bytes or their meaning change, and add a line here:
 * 1: the first.
 */
const JOURNAL_FORMAT = 1;

/** What a line says. */
export type JournalEntry =
  | { record: JobRecord; log?: JobLog }
  /** The job with this id is forgotten. */
  | { removed: string };

/** Where a line is. */
export interface JournalPlace {
  /** Its first byte. */
  at: number;
  /** Its length with the newline. */
  size: number;
}

/** Digits of a line's digest. */
const DIGEST = 32;
/** Below this size a journal is never rewritten. */
const SMALL = 1 << 20;

/** Path of a generation of the journal. */
export function journalPath(folder: string, generation: number): string {
  return join(folder, `journal-${generation}.log`);
}

/** The newest generation that is there; 0: none. */
export function newestGeneration(folder: string): number {
  let newest = 0;
  try {
    for (const { name } of sortedEntries(folder)) {
      const found = /^journal-(\d+)\.log$/.exec(name);
      if (found) newest = Math.max(newest, Number(found[1]));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return newest;
}

/** One line of a journal, digest and newline included. */
export function journalLine(entry: JournalEntry): Uint8Array<ArrayBuffer> {
  const body = JSON.stringify(entry);
  return new TextEncoder().encode(`${digestOf(body)} ${body}\n`);
}

/** A digest that only lines of our version have. */
function digestOf(body: string): string {
  return sha256Hex(`${JOURNAL_FORMAT}\n${body}`).slice(0, DIGEST);
}

/** What a line says; undefined if it is torn, or of another version. */
function parseLine(line: string): JournalEntry | undefined {
  const body = line.slice(DIGEST + 1);
  return line.slice(0, DIGEST) === digestOf(body)
    ? JSON.parse(body)
    : undefined;
}

/** An open journal. */
export class Journal {
  readonly #file: Deno.FsFile | undefined;
  #end: number;

  /**
   * Opens a journal.
   *
   * @param writable Made if it is not there, and appended to. Else one that is
   *   not there is empty.
   */
  constructor(path: string, writable: boolean) {
    this.#file = open(path, writable);
    this.#end = this.#file?.seekSync(0, Deno.SeekMode.End) ?? 0;
    if (writable && this.#end > 0 && !this.#endsLine()) this.append(undefined);
  }

  /** Where the next line goes. */
  get end(): number {
    return this.#end;
  }

  /** Appends a line; an undefined entry only ends a torn one. */
  append(entry: JournalEntry | undefined): JournalPlace {
    const bytes = entry ? journalLine(entry) : new TextEncoder().encode("\n");
    const at = this.#end;
    this.#file!.seekSync(at, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      done += this.#file!.writeSync(bytes.subarray(done));
    }
    this.#end += bytes.length;
    return { at, size: bytes.length };
  }

  /** The line at a place; undefined if there is no whole one. */
  read({ at, size }: JournalPlace): JournalEntry | undefined {
    if (at + size > this.#end) return undefined;
    const bytes = this.#bytes(at, size);
    return parseLine(new TextDecoder().decode(bytes).replace(/\n$/, ""));
  }

  /**
   * Lines from some place on, in order. A torn one has no entry.
   */
  *entries(
    from = 0,
  ): Generator<JournalPlace & { entry: JournalEntry | undefined }> {
    const decoder = new TextDecoder();
    let rest = new Uint8Array(0);
    let base = from;
    for (let at = from; at < this.#end;) {
      const chunk = this.#bytes(at, Math.min(SMALL, this.#end - at));
      at += chunk.length;
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      let start = 0;
      for (let end; (end = bytes.indexOf(10, start)) >= 0; start = end + 1) {
        if (end > start) {
          const line = decoder.decode(bytes.subarray(start, end));
          const place = { at: base + start, size: end + 1 - start };
          yield { ...place, entry: parseLine(line) };
        }
      }
      rest = bytes.slice(start);
      base += start;
    }
    // What follows the last newline was never finished.
    if (rest.length > 0) {
      yield { at: base, size: rest.length, entry: undefined };
    }
  }

  /** Whether so much of it is dead that it should be rewritten. */
  isWasteful(live: number): boolean {
    return this.#end > SMALL && this.#end > 2 * live;
  }

  /** Has everything on disk. */
  sync(): void {
    this.#file?.syncDataSync();
  }

  /** Closes the file. */
  close(): void {
    this.#file?.close();
  }

  #endsLine(): boolean {
    return this.#bytes(this.#end - 1, 1)[0] === 10;
  }

  #bytes(at: number, size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    this.#file!.seekSync(at, Deno.SeekMode.Start);
    let done = 0;
    while (done < size) {
      const n = this.#file!.readSync(bytes.subarray(done));
      if (n === null) break;
      done += n;
    }
    return bytes.subarray(0, done);
  }
}

function open(path: string, writable: boolean): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path, {
      read: true,
      write: writable,
      create: writable,
    });
  } catch (error) {
    if (!writable && error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
