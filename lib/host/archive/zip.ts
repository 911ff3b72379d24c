/** Unpacks a zip file by its central directory, checked against the rest. */

import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import type { Budget } from "./budget.ts";
import type { FaultReporter } from "./failure.ts";
import { decodeUtf8, safeComponents, textForMessage } from "./names.ts";
import { CHUNK_BYTES } from "./queue.ts";
import type { TreeWriter } from "./tree.ts";
import { readExtra, readZipDirectory, type ZipEntry } from "./zip_directory.ts";
import { zipMode, zipName, zipTime } from "./zip_fields.ts";

const LOCAL_BYTES = 30;
const LONGEST_LINK = 4096;

/** Entries up to this size are inflated in one call. */
const SMALL_BYTES = 4 << 20;

const STORED = 0;
const DEFLATED = 8;

/** Flag bits: encrypted, sizes after the data, strongly encrypted, hidden header. */
const ENCRYPTED = 0x1 | 0x40 | 0x2000;
const DESCRIPTOR = 0x8;

/** Reads a whole zip file. */
export class ZipReader {
  readonly #path: string;
  readonly #tree: TreeWriter;
  readonly #faults: FaultReporter;
  readonly #budget: Budget;
  #file!: Deno.FsFile;
  #seen = new Set<string>();

  /** The zip file at `path` goes to `tree`. */
  constructor(
    path: string,
    tree: TreeWriter,
    faults: FaultReporter,
    budget: Budget,
  ) {
    this.#path = path;
    this.#tree = tree;
    this.#faults = faults;
    this.#budget = budget;
  }

  /** Unpacks everything. */
  async read(): Promise<void> {
    using file = Deno.openSync(this.#path);
    this.#file = file;
    const total = file.statSync().size;
    const directory = readZipDirectory(
      (at, size) => this.#readAt(at, size),
      total,
      this.#faults,
    );
    let end = 0;
    for (const entry of directory.entries) {
      // Every byte belongs to one entry: none is read twice, none is hidden.
      this.#checkJoin(entry.offset, end);
      end = await this.#readEntry(entry, directory.offset);
      this.#faults.end();
    }
    this.#checkJoin(directory.offset, end);
  }

  #checkJoin(start: number, end: number): void {
    if (start < end) {
      throw this.#faults.make("UNSAFE", "has entries that overlap");
    }
    if (start > end) {
      throw this.#faults.make("UNSAFE", "has bytes that belong to no entry");
    }
  }

  #readAt(at: number, size: number): Buffer {
    const bytes = Buffer.alloc(size);
    this.#file.seekSync(at, Deno.SeekMode.Start);
    for (let done = 0; done < size;) {
      const count = this.#file.readSync(bytes.subarray(done));
      if (count === null) throw this.#fault("is cut short");
      done += count;
    }
    return bytes;
  }

  #fault(reason: string): Error {
    return this.#faults.make("CORRUPT", reason);
  }

  /** Unpacks one entry and returns where it ends. */
  async #readEntry(entry: ZipEntry, limit: number): Promise<number> {
    const faults = this.#faults;
    faults.begin(textForMessage(entry.name));
    const name = zipName(entry, faults);
    faults.entry = name;
    this.#budget.addEntry(entry.size);
    this.#checkSupported(entry);
    const dataAt = this.#checkLocalHeader(entry, limit);
    if (name.includes("\\")) {
      throw faults.make("UNSAFE", "has a backslash in its name");
    }
    const components = safeComponents(name, faults);
    const { type, mode } = zipMode(entry, name, faults);
    const key = components.join("/");
    if (this.#seen.has(key)) {
      throw faults.make("UNSAFE", "is there twice");
    }
    this.#seen.add(key);
    const mtime = zipTime(entry);
    if (type === "folder") {
      if (entry.size !== 0) throw this.#fault("is a folder with content");
      this.#tree.addFolder(components, mode, mtime);
      if (entry.compressedSize > 0) await this.#copy(entry, dataAt, () => {});
    } else if (type === "symlink") {
      const target = await this.#linkTarget(entry, dataAt);
      this.#tree.addSymlink(components, target, mtime);
    } else {
      const written = this.#tree.openFile(components, mode);
      await this.#copy(entry, dataAt, (bytes) => {
        if (written) this.#tree.write(bytes);
      });
      if (written) this.#tree.closeFile(mtime);
    }
    return this.#afterDescriptor(entry, dataAt + entry.compressedSize);
  }

  #checkSupported(entry: ZipEntry): void {
    if (entry.flags & ENCRYPTED) {
      throw this.#faults.make("UNSUPPORTED", "is encrypted");
    }
    if (entry.method !== STORED && entry.method !== DEFLATED) {
      throw this.#faults.make(
        "UNSUPPORTED",
        `is compressed by method ${entry.method}`,
      );
    }
    if (entry.method === STORED && entry.size !== entry.compressedSize) {
      throw this.#fault("is stored but has two sizes");
    }
  }

  /** Compares the local header with the central one; returns where data begin. */
  #checkLocalHeader(entry: ZipEntry, limit: number): number {
    const local = this.#readAt(entry.offset, LOCAL_BYTES);
    if (local.readUInt32LE(0) !== 0x04034b50) {
      throw this.#fault("has no local header");
    }
    const nameSize = local.readUInt16LE(26);
    const extraSize = local.readUInt16LE(28);
    const rest = this.#readAt(entry.offset + LOCAL_BYTES, nameSize + extraSize);
    const name = rest.subarray(0, nameSize);
    const extra = readExtra(rest.subarray(nameSize), this.#faults);
    const sizes = [local.readUInt32LE(22), local.readUInt32LE(18)];
    const zip64 = extra.get(1);
    if (zip64 && zip64.length >= 16) {
      for (const i of [0, 1]) {
        if (sizes[i] === 0xffffffff) {
          sizes[i] = Number(zip64.readBigUInt64LE(8 * i));
        }
      }
    }
    // With a descriptor, zero stands for "not known yet".
    const same = (mine: number, theirs: number) =>
      mine === theirs || (entry.flags & DESCRIPTOR) !== 0 && mine === 0;
    const differs = !name.equals(entry.name)
      ? "name"
      : local.readUInt16LE(6) !== entry.flags
      ? "flags"
      : local.readUInt16LE(8) !== entry.method
      ? "method"
      : !same(local.readUInt32LE(14), entry.crc)
      ? "checksum"
      : !same(sizes[0]!, entry.size) || !same(sizes[1]!, entry.compressedSize)
      ? "size"
      : undefined;
    if (differs !== undefined) {
      throw this.#faults.make(
        "UNSAFE",
        `is ambiguous: its two headers disagree about the ${differs}`,
        differs === "name"
          ? { local: decodeUtf8(name) ?? textForMessage(name) }
          : {},
      );
    }
    const dataAt = entry.offset + LOCAL_BYTES + nameSize + extraSize;
    if (dataAt + entry.compressedSize > limit) {
      throw this.#faults.make("UNSAFE", "overlaps the central directory");
    }
    return dataAt;
  }

  async #linkTarget(entry: ZipEntry, dataAt: number): Promise<string> {
    if (entry.size > LONGEST_LINK) {
      throw this.#fault("is a symlink with a target of more than 4096 bytes");
    }
    const parts: Uint8Array[] = [];
    await this.#copy(entry, dataAt, (bytes) => parts.push(bytes.slice()));
    const target = decodeUtf8(Buffer.concat(parts));
    if (target !== undefined) return target;
    throw this.#faults.make("UNSUPPORTED", "has a target that is not UTF-8");
  }

  /** Passes the content on and checks its size and checksum. */
  async #copy(
    entry: ZipEntry,
    dataAt: number,
    write: (bytes: Uint8Array) => void,
  ): Promise<void> {
    let crc = 0;
    let size = 0;
    for await (const bytes of this.#content(entry, dataAt)) {
      size += bytes.length;
      if (size > entry.size) break;
      this.#budget.addUnpacked(bytes.length);
      this.#budget.addContent(bytes.length);
      crc = crc32(bytes, crc);
      write(bytes);
    }
    if (size !== entry.size) throw this.#fault("has content of another size");
    if (crc !== entry.crc) throw this.#fault("has content of another checksum");
  }

  async *#content(
    entry: ZipEntry,
    dataAt: number,
  ): AsyncGenerator<Uint8Array> {
    const { compressedSize, size } = entry;
    if (compressedSize === 0) return;
    if (compressedSize <= SMALL_BYTES && size <= SMALL_BYTES) {
      const bytes = this.#readAt(dataAt, compressedSize);
      yield entry.method === STORED ? bytes : this.#inflate(bytes, size);
      return;
    }
    const file = createReadStream(this.#path, {
      start: dataAt,
      end: dataAt + compressedSize - 1,
      highWaterMark: 32 * 1024,
    });
    if (entry.method === STORED) {
      yield* file;
      return;
    }
    const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES });
    file.on("error", (error) => inflate.destroy(error));
    file.pipe(inflate);
    try {
      yield* inflate;
    } catch (error) {
      throw this.#faults.make("CORRUPT", "has bad compressed data", {}, error);
    } finally {
      file.destroy();
      inflate.destroy();
    }
    if (inflate.bytesWritten !== compressedSize) throw this.#excess();
  }

  #inflate(bytes: Buffer, size: number): Uint8Array {
    let result: { buffer: Buffer; engine: { bytesWritten: number } };
    try {
      result = inflateRawSync(bytes, {
        maxOutputLength: Math.max(size, 1),
        info: true,
      }) as unknown as typeof result;
    } catch (error) {
      throw this.#faults.make("CORRUPT", "has bad compressed data", {}, error);
    }
    if (result.engine.bytesWritten !== bytes.length) throw this.#excess();
    return result.buffer;
  }

  #excess(): Error {
    return this.#fault("has bytes after its compressed data");
  }

  /** Checks the descriptor after the data, if there is one. */
  #afterDescriptor(entry: ZipEntry, at: number): number {
    if ((entry.flags & DESCRIPTOR) === 0) return at;
    // Four forms: with or without signature, with 4- or 8-byte sizes.
    for (const wide of [false, true]) {
      for (const signature of [true, false]) {
        const fields = Buffer.alloc((wide ? 20 : 12) + (signature ? 4 : 0));
        let to = signature ? fields.writeUInt32LE(0x08074b50, 0) : 0;
        to = fields.writeUInt32LE(entry.crc, to);
        for (const size of [entry.compressedSize, entry.size]) {
          if (!wide && size > 0xffffffff) continue;
          to = wide
            ? fields.writeBigUInt64LE(BigInt(size), to)
            : fields.writeUInt32LE(size, to);
        }
        const end = at + fields.length;
        if (end > this.#file.statSync().size) continue;
        if (!this.#readAt(at, fields.length).equals(fields)) continue;
        if (this.#isHeader(end)) return end;
      }
    }
    throw this.#fault("has a bad data descriptor");
  }

  #isHeader(at: number): boolean {
    return this.#readAt(at, 2).toString("latin1") === "PK";
  }
}
