/** One traced run: its file, what its processes need, and what they report. */

import { join } from "node:path";
import { statfsSync } from "node:fs";
import { pathToBytes } from "../host/bytes_path.ts";
import {
  HEADER,
  HEADER_FLAGS,
  HEADER_SIZE,
  MAGIC,
  NAME_SIZE,
  PREFIXES_SIZE,
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
/** Below this a memory file system is left alone. */
const ENOUGH = 64 * 2 ** 20;
const PREFIX = "clibs-trace-";

/** How to trace. */
export interface SessionOptions {
  /** Records system files too. Default: false. */
  keepSystem?: boolean;
  /** Records which variables are asked for. Default: false. */
  getenv?: boolean;
  /** Instead of {@linkcode SYSTEM_PREFIXES}. */
  prefixes?: readonly string[];
  /** Goes on without what cannot be followed. Default: follow with ptrace. */
  escalate?: boolean;
}

/** A command that is ready to run under a session. */
export interface Wrapped {
  /** Program and arguments. */
  argv: string[];
  /** The whole environment. */
  env: Record<string, string>;
}

/** A file that traced processes write to; `using` removes it. */
export class TraceSession implements Disposable {
  /** Path of the trace. */
  readonly path: string;
  /** How accesses are found. */
  readonly method: Method;
  #file: Deno.FsFile;
  #tools: Tools;

  /** Starts a session. */
  constructor(method: Method, tools: Tools, options: SessionOptions = {}) {
    this.method = method;
    this.#tools = tools;
    const folder = traceFolder();
    removeStale(folder);
    const id = `${Deno.uid()}-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;
    this.path = join(folder, `${PREFIX}${id}`);
    this.#file = Deno.openSync(this.path, {
      read: true,
      write: true,
      createNew: true,
      mode: 0o600,
    });
    this.#file.lockSync(true);
    this.#file.writeSync(header(this.path, method, tools, options));
    this.#file.truncateSync(FILE_SIZE);
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
    if (this.method === "none") {
      return { argv: [program, ...argv.slice(1)], env: { ...env } };
    }
    const { shim, tracer } = this.#tools;
    if (this.method === "ptrace") {
      return { argv: [tracer!, this.path, "--", ...argv], env: { ...env } };
    }
    const before = env["LD_PRELOAD"];
    return {
      // The tracer's program has the library in it, which looks at what it
      // executes.
      argv: check && tracer !== undefined
        ? [tracer, "--exec", program, ...argv]
        : [program, ...argv.slice(1)],
      env: {
        ...env,
        LD_PRELOAD: before ? `${shim}:${before}` : shim!,
        CLIBS_TRACE_FILE: this.path,
      },
    };
  }

  /** Removes the file. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.path);
    this.#file.close();
  }
}

function header(
  path: string,
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
      (follows ? HEADER_FLAGS.escalate : 0),
    true,
  );
  view.setBigUint64(HEADER.size, BigInt(FILE_SIZE), true);
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

/** Memory if there is plenty: records are short-lived. */
function traceFolder(): string {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    if (bavail * bsize >= ENOUGH) return "/dev/shm";
  } catch {
    // There is none here.
  }
  return Deno.env.get("TMPDIR") || "/tmp";
}

const cleaned = new Set<string>();

/** Removes files of runners that were killed: nobody holds their lock. */
function removeStale(folder: string): void {
  if (cleaned.has(folder)) return;
  cleaned.add(folder);
  const mine = `${PREFIX}${Deno.uid()}-`;
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.startsWith(mine)) continue;
    const path = join(folder, name);
    try {
      using file = Deno.openSync(path, { read: true, write: true });
      // A file that was just made may not be locked yet.
      const age = Date.now() - (file.statSync().birthtime?.getTime() ?? 0);
      if (age > 10_000 && file.tryLockSync(true)) Deno.removeSync(path);
    } catch {
      // Somebody else removed it.
    }
  }
}
