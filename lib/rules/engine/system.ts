/**
 * What jobs used of the system: packages with their versions, and files that
 * belong to none.
 *
 * Jobs of a kind use the same things, so that these are kept as few sets, each
 * in a file below `LMAKE/system` that is named by its digest. As long as the
 * databases of packages have not been touched, a set costs a look in a table.
 */

import { join } from "node:path";
import { cacheDir } from "../../host/dirs.ts";
import { sha256Hex } from "../../host/digest.ts";
import { readTextIfExists, writeFileAtomic } from "../../host/files.ts";
import { NO_FILE } from "../../host/checksum.ts";
import { OsPackages } from "../../toolchain/os_packages.ts";
import { type AccessLog, KIND } from "../../trace/access.ts";
import { SYSTEM_PREFIXES } from "../../trace/session.ts";
import type { Config } from "../model.ts";
import { PRIVATE } from "../root.ts";
import type { Files } from "./files.ts";

/** Folders whose files come and go, or belong to running processes. */
const VOLATILE = ["/proc/", "/sys/", "/dev/", "/run/", "/var/", "/selinux/"];
const PREFIXES = SYSTEM_PREFIXES.map((prefix) => `${prefix}/`)
  .filter((prefix) => !VOLATILE.includes(prefix));
/** Made anew whenever a package is installed. */
const MADE_ANEW = new Set(["/etc/ld.so.cache", "/etc/mtab"]);

const COMPILED_PYTHON = /^(.*)\/__pycache__\/([^/.]+)\.[^/]+\.pyc$/;

/** Things that a job used: `NAME VERSION` of a package, or `PATH CHECKSUM`. */
interface UsedSet {
  /** What the databases were like when it was found to be so. */
  stamp: string;
  entries: readonly string[];
}

/** Where the system is, and what is known of it. */
export interface SystemOptions {
  /** Root of the repo. */
  root: string;
  /** What becomes of reads outside the repo. */
  mode: Config["systemDeps"];
  /** Files by absolute names. */
  files: Files;
  /** Folders that belong to clibs itself. */
  own?: readonly string[];
  /** Changes nothing on disk. Default: false. */
  readOnly?: boolean;
  /** Packages of another system, for tests. */
  packages?: () => OsPackages;
}

let known: OsPackages | undefined;

/** The packages of this machine, read once for each state of their databases. */
function packagesHere(stamp: string): OsPackages {
  if (known?.stamp !== stamp) known = OsPackages.open({ cacheDir: cacheDir() });
  return known;
}

/** What jobs used of the system, as one command sees it. */
export class SystemUse {
  readonly #options: SystemOptions;
  readonly #sets = new Map<string, UsedSet>();
  /** By set: why it does not hold; empty: it does. */
  readonly #verdicts = new Map<string, string>();
  readonly #sums = new Map<string, string>();
  /** By path; empty: it does not count. */
  readonly #entries = new Map<string, string>();
  #stampNow: string | undefined;

  /** Starts a command. */
  constructor(options: SystemOptions) {
    this.#options = options;
  }

  /** Whether jobs' accesses to the system have to be recorded. */
  get isOn(): boolean {
    return this.#options.mode !== "ignore";
  }

  /**
   * Notes what a run used.
   *
   * @returns Name of the set; undefined if it is empty.
   */
  note(log: AccessLog): string | undefined {
    if (!this.isOn) return undefined;
    const entries = new Set<string>();
    for (const { path, kinds, met, firstRead } of log.accesses.values()) {
      const isRead = met === "found" && firstRead !== 0 &&
        (kinds & (KIND.regular | KIND.link | KIND.exec)) !== 0;
      const entry = isRead ? this.#entryOf(path) : undefined;
      if (entry !== undefined) entries.add(entry);
    }
    return this.noteEntries([...entries].sort());
  }

  /** Notes things as {@linkcode entriesOf} tells them. */
  noteEntries(entries: readonly string[]): string | undefined {
    if (entries.length === 0) return undefined;
    const id = sha256Hex(entries.join("\n")).slice(0, 16);
    if (this.#setOf(id)?.stamp !== this.#stamp) {
      this.#save(id, { stamp: this.#stamp, entries });
    }
    return id;
  }

  /** What a set consists of. */
  entriesOf(id: string | undefined): readonly string[] {
    return id === undefined ? [] : this.#setOf(id)?.entries ?? [];
  }

  /** Why a job has to run whose run used a set; undefined if all is as it was. */
  changed(id: string | undefined): string | undefined {
    if (id === undefined || !this.isOn) return undefined;
    let verdict = this.#verdicts.get(id);
    if (verdict === undefined) {
      verdict = this.#judge(id);
      this.#verdicts.set(id, verdict);
    }
    return verdict === "" ? undefined : verdict;
  }

  /** Why things are not what they were; undefined if they are. */
  changedOf(entries: readonly string[], stamp = ""): string | undefined {
    for (const entry of entries) {
      const at = entry.lastIndexOf(" ");
      const [name, was] = [entry.slice(0, at), entry.slice(at + 1)];
      if (name.startsWith("/")) {
        if (this.#sumOf(name) !== was) return `${name} of the system changed`;
      } else if (stamp !== this.#stamp) {
        const now = this.#packages.versionsOf(name);
        if (now.includes(was)) continue;
        return `package ${name} ${was} is ${
          now.length === 0 ? "gone" : `now ${now.join(", ")}`
        }`;
      }
    }
    return undefined;
  }

  #judge(id: string): string {
    const set = this.#setOf(id);
    if (!set) return "what it used of the system is not known any more";
    const changed = this.changedOf(set.entries, set.stamp);
    if (changed !== undefined) return changed;
    if (set.stamp !== this.#stamp) {
      this.#save(id, { ...set, stamp: this.#stamp });
    }
    return "";
  }

  get #stamp(): string {
    return this.#stampNow ??= this.#options.packages
      ? this.#packages.stamp
      : OsPackages.stampOf();
  }

  get #packages(): OsPackages {
    return this.#options.packages?.() ?? packagesHere(this.#stamp);
  }

  #isSystem(path: string): boolean {
    // That leaves out such as /lib, which is a link on most systems.
    if (!PREFIXES.some((prefix) => path.startsWith(prefix))) return false;
    const isBelow = (dir: string) => path.startsWith(`${dir}/`);
    const { root, own = [], mode } = this.#options;
    if (MADE_ANEW.has(path) || isBelow(root) || own.some(isBelow)) return false;
    // Settings of this machine, but for those that choose among programs.
    return mode === "file" || !isBelow("/etc") || isBelow("/etc/alternatives");
  }

  #entryOf(path: string): string | undefined {
    let entry = this.#entries.get(path);
    if (entry === undefined) {
      entry = this.#isSystem(path) ? this.#findEntry(path) ?? "" : "";
      this.#entries.set(path, entry);
    }
    return entry === "" ? undefined : entry;
  }

  #findEntry(path: string): string | undefined {
    const owner = this.#options.mode === "package"
      ? this.#packages.ownerOf(path)
      : undefined;
    if (owner) return `${owner.name} ${owner.version}`;
    // Compiled Python is made when a package is installed, or by who is first.
    const python = COMPILED_PYTHON.exec(path);
    if (python) return this.#entryOf(`${python[1]}/${python[2]}.py`);
    const sum = this.#sumOf(path);
    return sum === NO_FILE ? undefined : `${path} ${sum}`;
  }

  #sumOf(path: string): string {
    let sum = this.#sums.get(path);
    if (sum === undefined) {
      const { files, readOnly } = this.#options;
      sum = (readOnly ? files.look(path) : files.lookAtSource(path)).sum;
      this.#sums.set(path, sum);
    }
    return sum;
  }

  #path(id: string): string {
    return join(this.#options.root, PRIVATE, "system", id);
  }

  #setOf(id: string): UsedSet | undefined {
    const found = this.#sets.get(id);
    if (found) return found;
    const text = readTextIfExists(this.#path(id));
    const [stamp = "", ...entries] = text?.split("\n").slice(0, -1) ?? [];
    if (sha256Hex(entries.join("\n")).slice(0, 16) !== id) return undefined;
    const set = { stamp, entries };
    this.#sets.set(id, set);
    return set;
  }

  #save(id: string, set: UsedSet): void {
    this.#sets.set(id, set);
    if (this.#options.readOnly) return;
    Deno.mkdirSync(join(this.#options.root, PRIVATE, "system"), {
      recursive: true,
    });
    writeFileAtomic(
      this.#path(id),
      [set.stamp, ...set.entries].map((line) => `${line}\n`).join(""),
    );
  }
}
