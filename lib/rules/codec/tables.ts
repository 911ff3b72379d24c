/** All the tables of a repo, and their associations as deps. */

import { resolve } from "node:path";
import type { Checksums } from "../../host/checksum.ts";
import { ClibsError, systemErrorCode } from "../../errors.ts";
import { DirTable } from "./dir_table.ts";
import { FileTable, type TableWord } from "./file_table.ts";
import { escapeField, normalText, unescapeField } from "./line.ts";

/** Answers what the associations are that jobs depend on. */
export interface FactReader {
  /**
   * What a dep of {@linkcode associationKey} comes to at present: the code of
   * a value, or a checksum of the value of a code.
   *
   * @returns Undefined if there is no such association, or no such table.
   */
  answer(key: string): string | undefined;
}

/** What an association is looked up by. */
export type Sought = { value: string } | { code: string };

/** Parts of an {@linkcode associationKey}. */
export interface AssociationParts {
  /** Name of the table, as it was given. */
  table: string;
  /** Context. */
  context: string;
  /** A code, or the checksum of a value. */
  by: { code: string } | { sum: string };
}

/** Something was done to the file of a table. */
export interface TableReport {
  /** Name of the table, as it was first given. */
  table: string;
  /** Absolute path of the file. */
  path: string;
  /** `expand`: read; `reformat`: put in order; `update`: codes were added. */
  word: TableWord;
}

/**
 * Name of an association as a dep of its own: (table, context, value) → code
 * or (table, context, code) → value. One line, without control characters.
 */
export function associationKey(
  sums: Checksums,
  table: string,
  context: string,
  sought: Sought,
): string {
  const by = "code" in sought
    ? ["decode", normalText(sought.code)]
    : ["encode", sums.text(normalText(sought.value))];
  return [by[0]!, normalText(table), normalText(context), by[1]!]
    .map(keyField).join(" ");
}

/** Takes an {@linkcode associationKey} apart; undefined if it is none. */
export function parseAssociationKey(
  key: string,
): AssociationParts | undefined {
  const fields = key.split(" ").map(unescapeField);
  const [kind, table, context, what] = fields;
  if (
    fields.length !== 4 || table === undefined || context === undefined ||
    what === undefined || (kind !== "encode" && kind !== "decode")
  ) return undefined;
  const by = kind === "decode" ? { code: what } : { sum: what };
  return { table, context, by };
}

function keyField(text: string): string {
  return escapeField(text).replaceAll(" ", "\\x20");
}

/**
 * Opens tables when they are needed and looks at each file once a command.
 *
 * Whether a table is a source is for the caller to check, and links to it are
 * for the caller to depend on.
 */
export class CodecTables implements FactReader {
  readonly #root: string;
  readonly #sums: Checksums;
  readonly #mayWrite: boolean;
  readonly #tables = new Map<string, FileTable | DirTable>();
  readonly #files = new Map<string, FileTable>();
  /** Names of tables that were looked at in this command. */
  readonly #seen = new Set<string>();
  /** Files that were looked at in this command. */
  readonly #read = new Set<FileTable>();
  #reports: TableReport[] = [];

  /**
   * Opens nothing yet.
   *
   * @param root What names of tables are relative to.
   * @param options.readOnly Leaves files alone that are not canonical.
   */
  constructor(
    root: string,
    sums: Checksums,
    options: { readOnly?: boolean } = {},
  ) {
    this.#root = root;
    this.#sums = sums;
    this.#mayWrite = !options.readOnly;
  }

  /** Starts a command: files are looked at again when they are next needed. */
  begin(): void {
    this.#seen.clear();
    this.#read.clear();
  }

  /**
   * Code of a value, made if need be; kept in the file at once.
   *
   * @param table Name from the root, or absolute; a folder's ends in `/`.
   * @param minLength 1 to 16. Default: 1.
   * @throws {ClibsError} See {@linkcode FileTable} and {@linkcode DirTable}.
   */
  encode(
    table: string,
    context: string,
    value: string,
    minLength = 1,
  ): string {
    const found = this.#table(table);
    const code = found.encode(context, value, minLength);
    if (found instanceof FileTable) found.append();
    return code;
  }

  /**
   * Value of a code.
   *
   * @throws {ClibsError} See {@linkcode FileTable} and {@linkcode DirTable}.
   */
  decode(table: string, context: string, code: string): string {
    return this.#table(table).decode(context, code);
  }

  /** Key of an association for {@linkcode answer}. */
  key(table: string, context: string, sought: Sought): string {
    return associationKey(this.#sums, table, context, sought);
  }

  /** See {@linkcode FactReader}. */
  answer(key: string): string | undefined {
    const parts = parseAssociationKey(key);
    if (!parts) return undefined;
    const { context, by } = parts;
    const table = this.#tableIfAny(parts.table);
    if (!table) return undefined;
    if ("sum" in by) return table.codeOfSum(context, by.sum);
    if (table instanceof DirTable) return table.sumOfCode(context, by.code);
    const value = table.valueOf(context, by.code);
    return value === undefined ? undefined : this.#sums.text(value);
  }

  /** Ends a command: brings the files up to date and makes them canonical. */
  finish(): void {
    if (!this.#mayWrite) return;
    for (const [name, table] of this.#tables) {
      if (!(table instanceof FileTable) || !this.#seen.has(name)) continue;
      try {
        const word = table.save();
        if (word) this.#report(name, table, word);
      } catch (error) {
        if (table.hasNew || !isHarmless(error)) throw error;
      }
    }
  }

  /** What was done to files since the last time this was asked. */
  takeReports(): TableReport[] {
    const reports = this.#reports;
    this.#reports = [];
    return reports;
  }

  #tableIfAny(name: string): FileTable | DirTable | undefined {
    try {
      return this.#table(name);
    } catch (error) {
      if (isTableError(error)) return undefined;
      throw error;
    }
  }

  #table(name: string): FileTable | DirTable {
    const known = this.#tables.get(name);
    if (known && this.#seen.has(name)) return known;
    // A folder is opened again as well: its settings may have changed.
    const table = name.endsWith("/")
      ? DirTable.open(resolve(this.#root, name), this.#sums, name)
      : this.#fileTable(name);
    this.#tables.set(name, table);
    this.#seen.add(name);
    return table;
  }

  /** One table for each file, under whatever names it is known. */
  #fileTable(name: string): FileTable {
    const path = FileTable.locate(resolve(this.#root, name), name);
    let table = this.#files.get(path);
    if (table && this.#read.has(table)) return table;
    if (!table) {
      table = FileTable.open(path, this.#sums, name);
      this.#files.set(path, table);
      this.#report(name, table, "expand");
    } else if (table.refresh()) this.#report(name, table, "expand");
    this.#read.add(table);
    if (this.#mayWrite) this.#repair(name, table);
    return table;
  }

  #repair(name: string, table: FileTable): void {
    try {
      if (table.repair()) this.#report(name, table, "reformat");
    } catch (error) {
      if (!isHarmless(error)) throw error;
    }
  }

  #report(name: string, table: FileTable, word: TableWord): void {
    this.#reports.push({ table: name, path: table.path, word });
  }
}

/** For a file that is not in order: what it says is known all the same. */
function isHarmless(error: unknown): boolean {
  return isTableError(error) || systemErrorCode(error) === "EROFS" ||
    error instanceof Deno.errors.PermissionDenied;
}

function isTableError(error: unknown): boolean {
  return error instanceof ClibsError && error.code === "CLIBS_CODEC_TABLE";
}
