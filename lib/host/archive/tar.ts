/** Unpacks a tar archive from a queue of its bytes. */

import type { Budget } from "./budget.ts";
import type { FaultReporter } from "./failure.ts";
import { decodeUtf8, safeComponents, textForMessage } from "./names.ts";
import type { ByteQueue } from "./queue.ts";
import {
  BLOCK_BYTES,
  isZero,
  parseTarHeader,
  type TarHeader,
  untilNul,
} from "./tar_header.ts";
import { parsePax, type TarExtension } from "./tar_pax.ts";
import type { Mtime } from "./times.ts";
import type { TreeWriter } from "./tree.ts";

/** Longest extension header; real ones have a few hundred bytes. */
const LONGEST_EXTENSION = 1 << 20;

/** A file from 8 GiB on has no size in octal: only then may PAX correct it. */
const LARGEST_OCTAL = 0o77777777777;

const refusedTypes: Readonly<Record<string, string>> = {
  "3": "is a character device",
  "4": "is a block device",
  "6": "is a fifo",
};

const unsupportedTypes: Readonly<Record<string, string>> = {
  S: "is a sparse file of GNU tar",
  D: "is a folder of a GNU incremental archive",
  M: "continues a file of another volume",
  N: "is a name table of old GNU tar",
};

/**
 * Reads a whole archive; yields when it needs more bytes in the queue.
 *
 * Anything that two programs could read in two ways is refused: mixed GNU and
 * PAX names, sizes that disagree, extension headers without an entry, and
 * anything after the end mark but zeros.
 */
export class TarReader {
  readonly #queue: ByteQueue;
  readonly #tree: TreeWriter;
  readonly #faults: FaultReporter;
  readonly #budget: Budget;
  #global: TarExtension = {};
  /** Extensions for the next entry; their kinds, to refuse a mix. */
  #next: TarExtension = {};
  #kinds = "";

  /** The archive comes from `queue` and goes to `tree`. */
  constructor(
    queue: ByteQueue,
    tree: TreeWriter,
    faults: FaultReporter,
    budget: Budget,
  ) {
    this.#queue = queue;
    this.#tree = tree;
    this.#faults = faults;
    this.#budget = budget;
  }

  /** Reads to the end of the queue. */
  *read(): Generator<void, void> {
    for (;;) {
      const block = yield* this.#queue.take(BLOCK_BYTES);
      if (!block) throw this.#fault("is cut short: it has no end mark");
      if (block[0] === 0 && isZero(block)) break;
      const header = parseTarHeader(block, this.#faults);
      if ("xgLK".includes(header.type)) yield* this.#readExtension(header);
      else if (header.type === "V") yield* this.#skip(header.size);
      else yield* this.#readEntry(header);
    }
    if (this.#kinds !== "") throw this.#fault("ends after an extension header");
    yield* this.#readEnd();
  }

  #fault(reason: string): Error {
    return this.#faults.make("CORRUPT", reason);
  }

  *#readEnd(): Generator<void, void> {
    const second = yield* this.#queue.take(BLOCK_BYTES);
    if (!second) throw this.#fault("is cut short in its end mark");
    if (!isZero(second)) throw this.#fault("has half an end mark");
    let total = 0;
    for (let rest; (rest = yield* this.#queue.takeSome(1 << 20));) {
      total += rest.length;
      if (!isZero(rest)) throw this.#fault("has data after its end mark");
    }
    if (total % BLOCK_BYTES !== 0) {
      throw this.#fault("is cut short in its last block");
    }
  }

  *#readExtension(header: TarHeader): Generator<void, void> {
    const { type, size } = header;
    if (size > LONGEST_EXTENSION) {
      throw this.#fault("has an extension header of more than 1 MiB");
    }
    const padded = yield* this.#queue.take(size + padding(size));
    if (!padded) throw this.#fault("is cut short in an extension header");
    const data = padded.subarray(0, size);
    if (type === "g") {
      if (this.#kinds !== "") throw this.#ambiguous(type);
      Object.assign(this.#global, parsePax(data, this.#faults, true));
      return;
    }
    if (
      this.#kinds.includes(type) ||
      /x/.test(this.#kinds + type) && this.#kinds !== ""
    ) {
      throw this.#ambiguous(type);
    }
    this.#kinds += type;
    if (type === "x") {
      this.#next = parsePax(data, this.#faults, false);
      return;
    }
    const name = untilNul(data);
    if (!isZero(data.subarray(name.length))) {
      throw this.#faults.make("UNSAFE", "has a NUL inside a long name", {
        name: textForMessage(data),
      });
    }
    this.#next[type === "L" ? "path" : "linkPath"] = this.#text(name);
  }

  #ambiguous(type: string): Error {
    return this.#faults.make(
      "UNSAFE",
      `has ambiguous extension headers: "${type}" after "${this.#kinds}"`,
    );
  }

  #text(bytes: Uint8Array): string {
    const text = decodeUtf8(bytes);
    if (text !== undefined) return text;
    throw this.#faults.make("UNSUPPORTED", "has a name that is not UTF-8", {
      name: textForMessage(bytes),
    });
  }

  *#readEntry(header: TarHeader): Generator<void, void> {
    const own = this.#next;
    this.#next = {};
    this.#kinds = "";
    const faults = this.#faults;
    faults.begin(own.path ?? textForMessage(header.name));
    const name = own.path ?? this.#text(header.name);
    const size = this.#size(header, own);
    const mtime = own.mtime ?? this.#global.mtime ??
      { seconds: header.mtime, nanos: 0 };
    const components = safeComponents(name, faults);
    const type = "07".includes(header.type)
      // Tar of old had no type for folders, only the slash.
      ? name.endsWith("/") ? "5" : "0"
      : header.type;
    if (type !== "0" && size !== 0 && "125".includes(type)) {
      throw faults.make(
        "UNSAFE",
        "is ambiguous: a link or folder with content",
      );
    }
    this.#budget.addEntry(size);
    if (type === "0") yield* this.#readFile(components, header, size, mtime);
    else this.#addOther(type, components, header, own, mtime);
    faults.end();
  }

  #size(header: TarHeader, own: TarExtension): number {
    const { size } = own;
    if (size === undefined || size === header.size) return header.size;
    const needed = size > LARGEST_OCTAL &&
      (header.size === 0 || header.size === LARGEST_OCTAL);
    if (needed) return size;
    throw this.#faults.make("UNSAFE", "is ambiguous: it has two sizes", {
      header: String(header.size),
      extended: String(size),
    });
  }

  #addOther(
    type: string,
    components: string[],
    header: TarHeader,
    own: TarExtension,
    mtime: Mtime,
  ): void {
    const faults = this.#faults;
    const target = () => own.linkPath ?? this.#text(header.linkName);
    if (type === "5") {
      return this.#tree.addFolder(components, header.mode, mtime);
    }
    if (type === "2") return this.#tree.addSymlink(components, target(), mtime);
    if (type === "1") {
      const linked = safeComponents(target(), faults, "link target");
      return this.#tree.addHardLink(components, linked);
    }
    const refused = refusedTypes[type];
    if (refused) throw faults.make("UNSAFE", refused);
    throw faults.make(
      "UNSUPPORTED",
      unsupportedTypes[type] ?? "has an unknown type",
      { type },
    );
  }

  *#readFile(
    components: string[],
    header: TarHeader,
    size: number,
    mtime: Mtime,
  ): Generator<void, void> {
    const written = this.#tree.openFile(components, header.mode);
    for (let left = size; left > 0;) {
      const bytes = yield* this.#queue.takeSome(left);
      if (!bytes) throw this.#fault("is cut short");
      this.#budget.addContent(bytes.length);
      if (written) this.#tree.write(bytes);
      left -= bytes.length;
    }
    if (written) this.#tree.closeFile(mtime);
    if (!(yield* this.#queue.take(padding(size)))) {
      throw this.#fault("is cut short");
    }
  }

  *#skip(size: number): Generator<void, void> {
    for (let left = size + padding(size); left > 0;) {
      const bytes = yield* this.#queue.takeSome(left);
      if (!bytes) throw this.#fault("is cut short");
      left -= bytes.length;
    }
  }
}

function padding(size: number): number {
  return (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES;
}
