/** One traced run: its file, what its processes need, and what they report. */

import { statfsSync } from "node:fs";
import { join } from "node:path";
import { ClibsError } from "../errors.ts";
import { pathToBytes } from "../host/bytes_path.ts";
import {
  HEADER,
  HEADER_FLAGS,
  HEADER_SIZE,
  MAGIC,
  NAME_SIZE,
  PREFIXES_SIZE,
  RecordReader,
  VERSION,
} from "./record.ts";
import type { Method, Tools } from "./methods.ts";

/** Folders below which accesses are counted only, unless they are asked for. */
export const SYSTEM_PREFIXES: readonly string[] = [
  "/usr",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/bin",
  "/sbin",
  "/etc",
  "/opt",
  "/proc",
  "/sys",
  "/dev",
  "/run",
  "/var",
  "/nix",
  "/gnu",
  "/selinux",
];

/** Room for addresses only; storage is taken as records come. */
const FILE_SIZE = 16 * 2 ** 30;
/** Less is not worth a trace. */
const LEAST_SIZE = 2 ** 20;
/** Below this a memory file system is left alone. */
const ENOUGH = 64 * 2 ** 20;
/** How long it is believed that there is plenty, or not. */
const MEMORY_MS = 500;
const PREFIX = "clibs-trace-";

/** How to trace. */
export interface SessionOptions {
  /** Records system files too. Default: false. */
  keepSystem?: boolean;
  /** Records which variables are asked for. Default: false. */
  getenv?: boolean;
  /** Has `chdir()` make a folder that is missing. Default: false. */
  makeFolders?: boolean;
  /** Instead of {@linkcode SYSTEM_PREFIXES}. */
  prefixes?: readonly string[];
  /** Goes on without what cannot be followed. Default: follow with ptrace. */
  escalate?: boolean;
  /** Folder for the records. Default: in memory if there is plenty. */
  folder?: string;
}

/** A command that is ready to run under a session. */
export interface Wrapped {
  /** Program and arguments. */
  argv: string[];
  /** The whole environment. */
  env: Record<string, string>;
  /** Whether the program is one of clibs, which then starts the other. */
  tool: boolean;
}

/** A file that traced processes write to; `using` removes it. */
export class TraceSession implements Disposable {
  /** Path of the trace. */
  readonly path: string;
  /** How accesses are found. */
  readonly method: Method;
  #file: Deno.FsFile;
  #tools: Tools;
  #links: string[] = [];

  /**
   * Starts a session.
   *
   * @throws {ClibsError} `CLIBS_TRACE_FOLDER` if no folder takes the records.
   */
  constructor(method: Method, tools: Tools, options: SessionOptions = {}) {
    this.method = method;
    const { path, file, size } = openTrace(options.folder);
    this.path = path;
    this.#file = file;
    const { shim, tracer } = tools;
    // The loader takes the list apart at blanks and colons.
    const isPlain = shim === undefined || /^[^\s:]*$/.test(shim);
    this.#tools = {
      ...(shim === undefined
        ? {}
        : { shim: this.#short(shim, ".so", isPlain) }),
      ...(tracer === undefined
        ? {}
        : { tracer: this.#short(tracer, ".tracer") }),
    };
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#file.writeSync(header(path, size, method, this.#tools, options));
  }

  /** The path, or that of a link to it if the path itself cannot be used. */
  #short(path: string, suffix: string, isPlain = true): string {
    if (isPlain && pathToBytes(path).length < NAME_SIZE) return path;
    const link = this.path + suffix;
    Deno.symlinkSync(path, link);
    this.#links.push(link);
    return link;
  }

  /**
   * A command as it must be run to be traced.
   *
   * @param program Path of the program.
   * @param argv Its name and arguments.
   * @param env Its whole environment.
   * @param check Whether the program may be one that preloading cannot reach.
   */
  wrap(
    program: string,
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
    check = true,
  ): Wrapped {
    const plain = [program, ...argv.slice(1)];
    if (this.method === "none") {
      return { argv: plain, env: { ...env }, tool: false };
    }
    const { shim, tracer } = this.#tools;
    if (this.method === "ptrace") {
      return {
        argv: [tracer!, this.path, "--", ...argv],
        env: { ...env },
        tool: true,
      };
    }
    const before = env["LD_PRELOAD"];
    // The tracer's program has the library in it, which looks at what it
    // executes.
    const tool = check && tracer !== undefined;
    return {
      argv: tool ? [tracer, "--exec", program, ...argv] : plain,
      env: {
        ...env,
        LD_PRELOAD: before ? `${shim}:${before}` : shim!,
        CLIBS_TRACE_FILE: this.path,
      },
      tool,
    };
  }

  /** Reads what traced processes wrote, as long as the session lasts. */
  reader(): RecordReader {
    return new RecordReader(this.#file);
  }

  /** Removes the file. */
  [Symbol.dispose](): void {
    for (const path of [...this.#links, this.path]) {
      try {
        Deno.removeSync(path);
      } catch {
        // Somebody else removed it.
      }
    }
    this.#file.close();
  }
}

function header(
  path: string,
  size: number,
  method: Method,
  tools: Tools,
  options: SessionOptions,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  const follows = method === "auto" && (options.escalate ?? true);
  view.setBigUint64(HEADER.magic, MAGIC, true);
  view.setUint32(HEADER.version, VERSION, true);
  view.setUint32(
    HEADER.flags,
    (options.keepSystem ? HEADER_FLAGS.keepSystem : 0) |
      (options.getenv ? HEADER_FLAGS.getenv : 0) |
      (options.makeFolders ? HEADER_FLAGS.makeFolders : 0) |
      (follows ? HEADER_FLAGS.escalate : 0),
    true,
  );
  view.setBigUint64(HEADER.size, BigInt(size), true);
  view.setBigUint64(HEADER.head, BigInt(HEADER_SIZE), true);
  view.setBigUint64(HEADER.allocated, BigInt(HEADER_SIZE), true);
  const put = (at: number, text: string, room: number) => {
    const name = pathToBytes(text);
    if (name.length >= room) throw new RangeError(`${text} is too long`);
    bytes.set(name, at);
  };
  put(HEADER.path, path, NAME_SIZE);
  put(HEADER.shim, method === "ptrace" ? "" : tools.shim ?? "", NAME_SIZE);
  put(HEADER.tracer, tools.tracer ?? "", NAME_SIZE);
  const prefixes = options.prefixes ?? SYSTEM_PREFIXES;
  put(
    HEADER.prefixes,
    prefixes.map((prefix) => `${prefix}\0`).join(""),
    PREFIXES_SIZE,
  );
  return bytes;
}

/** A new file for records, locked, so that others know that it is in use. */
function openTrace(
  asked: string | undefined,
): { path: string; file: Deno.FsFile; size: number } {
  const folders = asked === undefined ? traceFolders() : [asked];
  const size = Math.min(FILE_SIZE, fileSizeLimit());
  const facts: Record<string, string> = {};
  for (const folder of folders) {
    const id = `${Deno.uid()}-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;
    const path = join(folder, `${PREFIX}${id}`);
    let file: Deno.FsFile | undefined;
    try {
      if (size < LEAST_SIZE) throw new Error("files may not grow (ulimit -f)");
      removeStale(folder);
      file = Deno.openSync(path, {
        read: true,
        write: true,
        createNew: true,
        mode: 0o600,
      });
      file.lockSync(true);
      file.truncateSync(size);
      return { path, file, size };
    } catch (error) {
      facts[folder] = (error as Error).message;
      if (!file) continue;
      file.close();
      Deno.removeSync(path);
    }
  }
  throw new ClibsError(
    "CLIBS_TRACE_FOLDER",
    "Cannot trace: no folder takes the records",
    { facts, hint: "set TMPDIR to a folder that can be written" },
  );
}

/** Memory first if there is plenty: records are short-lived. */
function traceFolders(): string[] {
  const folders = [Deno.env.get("TMPDIR") ?? "", "/tmp", "/var/tmp"];
  if (hasMemory()) folders.unshift("/dev/shm");
  return folders.filter((folder) => folder !== "");
}

let memory = { isThere: false, until: 0 };

/** Whether there is plenty; it does not go from one job to the next. */
function hasMemory(): boolean {
  const now = Date.now();
  if (now < memory.until) return memory.isThere;
  let isThere = false;
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    isThere = bavail * bsize >= ENOUGH;
  } catch {
    // There is none here.
  }
  memory = { isThere, until: now + MEMORY_MS };
  return isThere;
}

let sizeLimit: number | undefined;

/** How large files may become; a larger one ends the process with SIGXFSZ. */
function fileSizeLimit(): number {
  return sizeLimit ??= readSizeLimit();
}

function readSizeLimit(): number {
  try {
    const limits = Deno.readTextFileSync("/proc/self/limits");
    const soft = Number(/^Max file size\s+(\S+)/m.exec(limits)?.[1]);
    return soft >= 0 ? soft : Infinity;
  } catch {
    return Infinity;
  }
}

const cleaned = new Set<string>();

/** Removes files of runners that were killed: nobody holds their lock. */
function removeStale(folder: string): void {
  if (cleaned.has(folder)) return;
  cleaned.add(folder);
  const mine = `${PREFIX}${Deno.uid()}-`;
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => name.startsWith(mine));
  // Links come after what they belong to.
  for (const name of names.sort()) {
    const path = join(folder, name);
    try {
      if (/\.(so|tracer)$/.test(name)) {
        // Of a trace that was removed already.
        if (!exists(path.replace(/\.\w+$/, ""))) Deno.removeSync(path);
        continue;
      }
      using file = Deno.openSync(path, { read: true, write: true });
      // A file that was just made may not be locked yet.
      const age = Date.now() - (file.statSync().mtime?.getTime() ?? 0);
      if (age > 10_000 && file.tryLockSync(true)) Deno.removeSync(path);
    } catch {
      // Somebody else removed it.
    }
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
