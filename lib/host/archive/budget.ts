/** Limits of one extraction: bytes, entries, ratio; and its progress. */

import { CancelledError } from "../../errors.ts";
import type { FaultReporter } from "./failure.ts";

/** What a {@linkcode Budget} holds to. */
export interface BudgetOptions {
  /** Most bytes that may come out. Default: 64 GiB. */
  maxBytes?: number;
  /** Most entries. Default: 5 million. */
  maxEntries?: number;
  /** Gives up. */
  signal?: AbortSignal;
  /** Called now and then. */
  onProgress?: (progress: { bytes: number; entries: number }) => void;
}

const DEFAULT_MAX_BYTES = 64 * 2 ** 30;
const DEFAULT_MAX_ENTRIES = 5_000_000;

/** The ratio counts only above this: small archives of zeros are harmless. */
const RATIO_FROM_BYTES = 2 ** 30;

/**
 * Output bytes per byte of the archive. Source trees reach 5 to 30, extreme
 * test data about 100; gzip cannot pass 1032, xz and bzip2 reach over 10,000.
 */
const MAX_RATIO = 400;

/** Counts what comes out of an archive and stops a bomb. */
export class Budget {
  /** Content bytes written so far. */
  bytes = 0;
  /** Entries seen so far. */
  entries = 0;
  #unpacked = 0;
  readonly #archiveBytes: number;
  readonly #faults: FaultReporter;
  readonly #options: BudgetOptions;
  readonly #maxBytes: number;
  readonly #maxEntries: number;

  /** @param archiveBytes Size of the archive, for the ratio. */
  constructor(
    archiveBytes: number,
    faults: FaultReporter,
    options: BudgetOptions,
  ) {
    this.#archiveBytes = archiveBytes;
    this.#faults = faults;
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
  }

  /** Counts one entry; `sizeBytes` is what it claims to hold. */
  addEntry(sizeBytes: number): void {
    if (++this.entries > this.#maxEntries) {
      throw this.#faults.make(
        "TOO_LARGE",
        `is beyond the limit of ${this.#maxEntries} entries`,
      );
    }
    if (this.bytes + sizeBytes > this.#maxBytes) throw this.#overSize();
  }

  /** Counts bytes that came out of the decoder; call it for each chunk. */
  addUnpacked(bytes: number): void {
    this.#unpacked += bytes;
    // Headers count as well: an archive can also be all headers.
    if (this.#unpacked > 2 * this.#maxBytes + 2 ** 20) throw this.#overSize();
    if (
      this.#unpacked > RATIO_FROM_BYTES &&
      this.#unpacked > MAX_RATIO * this.#archiveBytes
    ) {
      throw this.#faults.make(
        "TOO_LARGE",
        `unpacks to more than ${MAX_RATIO} times the size of the archive`,
      );
    }
    this.tick();
  }

  /** Counts content bytes about to be written. */
  addContent(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.#maxBytes) throw this.#overSize();
  }

  /** Reports progress, and stops if the caller wants that. */
  tick(): void {
    if (this.#options.signal?.aborted) throw new CancelledError();
    this.#options.onProgress?.({ bytes: this.bytes, entries: this.entries });
  }

  #overSize(): Error {
    return this.#faults.make(
      "TOO_LARGE",
      `goes beyond the limit of ${this.#maxBytes} bytes`,
    );
  }
}
