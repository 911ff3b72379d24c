/**
 * The ptrace tracer built for a test, a program to trace, and a plain reader of
 * what it writes.
 */

import assert from "node:assert/strict";
import { TempDir } from "../support/temp.ts";

const NATIVE = new URL("../../lib/trace/native/", import.meta.url).pathname;
const OPS = [
  ..."- START EXEC EXIT READ STAT ACCESS LINK READDIR WRITE UNLINK".split(" "),
  ..."RENAME HARDLINK SYMLINK MKDIR RMDIR ATTRIBUTES".split(" "),
  ..."GETENV ESCAPE SWITCH".split(" "),
];
const STATES = ["writing", "calling", "found", "absent", "failed"];
export const EXISTED = 1, TRUNCATED = 2, CREATES = 16, EXECUTES = 32;
export const KEEP_SYSTEM = 1;

/** One record. */
export interface Seen {
  op: string;
  state: string;
  flags: number;
  pid: number;
  other: number;
  /** Each byte as a character: names need not be text. */
  path: string;
  second: string;
}

/** Each byte as a character. */
export function latin(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => String.fromCharCode(b)).join("");
}

/** Makes an empty trace. */
export function makeTrace(path: string, prefixes: string[], flags = 0): void {
  const header = new Uint8Array(4096);
  const view = new DataView(header.buffer);
  const size = 1 << 30;
  view.setBigUint64(0, 0x3172547362696c63n, true);
  view.setUint32(8, 1, true);
  view.setUint32(12, flags, true);
  view.setBigUint64(16, BigInt(size), true);
  view.setBigUint64(24, 4096n, true);
  view.setBigUint64(32, 4096n, true);
  const text = new TextEncoder();
  header.set(text.encode(path), 56);
  header.set(text.encode(prefixes.map((p) => `${p}\0`).join("")), 56 + 3 * 512);
  Deno.writeFileSync(path, header);
  Deno.truncateSync(path, size);
}

/** Its records, and how many accesses were only counted. */
export function readTrace(path: string): { seen: Seen[]; system: number } {
  using file = Deno.openSync(path);
  const header = new Uint8Array(4096);
  file.readSync(header);
  const start = new DataView(header.buffer);
  assert.equal(start.getUint32(48, true), 0, "records were lost");
  const data = new Uint8Array(Number(start.getBigUint64(24, true)) - 4096);
  for (let at = 0; at < data.length;) {
    at += file.readSync(data.subarray(at)) ?? assert.fail("short trace");
  }
  const view = new DataView(data.buffer);
  const seen: Seen[] = [];
  for (let at = 0, size = 0; at < data.length; at += size || 8) {
    size = view.getUint32(at, true);
    if (size === 0) continue;
    const path = at + 32, length = view.getUint16(at + 24, true);
    const second = path + length + 1;
    seen.push({
      op: OPS[view.getUint16(at + 4, true)] ?? "?",
      state: STATES[data[at + 6] ?? 0] ?? "?",
      flags: (data[at + 7] ?? 0) & 63,
      pid: view.getUint32(at + 8, true),
      other: view.getInt32(at + 12, true),
      path: latin(data.subarray(path, path + length)),
      second: latin(
        data.subarray(second, second + view.getUint16(at + 26, true)),
      ),
    });
  }
  return { seen, system: Number(start.getBigUint64(40, true)) };
}

/** The tracer, a program to trace, and a folder to run it in. */
export class Bench implements Disposable {
  readonly temp = new TempDir();
  readonly tracer = this.temp.join("clibs-ptrace");
  readonly program = this.temp.join("program");
  readonly trace = this.temp.join("trace");
  readonly dir = this.temp.join("dir");

  constructor(options: string[]) {
    const sources = Array.from(Deno.readDirSync(NATIVE), (e) => e.name)
      .filter((name) => /^ptrace.*\.c$/.test(name)).map((n) => NATIVE + n);
    this.#compile([...options, "-o", this.tracer, ...sources]);
    this.#compile([
      ...["-static", "-pthread", `-DFILTER="${NATIVE}filter.h"`, ...options],
      ...[
        "-o",
        this.program,
        new URL("programs/ptrace_calls.c", import.meta.url).pathname,
      ],
    ]);
    Deno.mkdirSync(this.dir);
  }

  #compile(args: string[]): void {
    const { success, stderr } = new Deno.Command("cc", {
      args: ["-O2", "-std=gnu11", ...args],
    }).outputSync();
    assert.ok(success, latin(stderr));
  }

  /** Runs a command traced, in an empty folder with these files. */
  run(
    command: string[],
    options: { files?: Record<string, string>; flags?: number } = {},
  ): { output: Deno.CommandOutput; seen: Seen[]; system: number } {
    Deno.removeSync(this.dir, { recursive: true });
    Deno.mkdirSync(this.dir);
    for (const [name, text] of Object.entries(options.files ?? {})) {
      if (name.includes("/")) {
        const folder = name.slice(0, name.lastIndexOf("/"));
        Deno.mkdirSync(`${this.dir}/${folder}`, { recursive: true });
      }
      if (text.startsWith("->")) {
        Deno.symlinkSync(text.slice(2), `${this.dir}/${name}`);
      } else Deno.writeTextFileSync(`${this.dir}/${name}`, text);
    }
    const prefixes = [
      "/usr",
      "/lib",
      "/lib64",
      "/bin",
      "/etc",
      "/proc",
      "/dev",
    ];
    makeTrace(this.trace, prefixes, options.flags);
    const output = new Deno.Command(this.tracer, {
      args: [this.trace, "--", ...command],
      cwd: this.dir,
    }).outputSync();
    return { output, ...readTrace(this.trace) };
  }

  /** As lines `OP path state`, relative to the folder, without processes. */
  lines(command: string[], files?: Record<string, string>): string[] {
    const { output, seen } = this.run([this.program, ...command], { files });
    assert.equal(latin(output.stderr), "");
    assert.equal(output.code, 0);
    return seen
      .filter((s) => s.path.startsWith(this.dir) || s.op === "SWITCH")
      .map((s) => {
        const path = s.path.slice(this.dir.length + 1) || ".";
        const second = s.second.replaceAll(`${this.dir}/`, "");
        const existed = s.flags & EXISTED ? " existed" : "";
        return `${s.op} ${path}${second && ` ${second}`} ${s.state}${existed}`;
      });
  }

  /** Whether a tracer of this bench is still at work. */
  isTracing(): boolean {
    return Array.from(Deno.readDirSync("/proc")).some(({ name }) => {
      try {
        return Deno.readTextFileSync(`/proc/${name}/cmdline`)
          .startsWith(`${this.tracer}\0`);
      } catch {
        return false;
      }
    });
  }

  [Symbol.dispose](): void {
    this.temp[Symbol.dispose]();
  }
}
