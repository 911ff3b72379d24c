/**
 * What a command accesses, as strace sees it: the answer a tracer must give.
 *
 * strace names what a program asked for; which file that is, is worked out
 * here, with a model of the symbolic links there are at each moment. The paths
 * of the descriptors, which strace reads from the kernel, check that model.
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { CALLS, type Kind } from "./calls.ts";
import { isIn, Links } from "./links.ts";
import { type Argument, type Call, readStrace, STRACE_ARGS } from "./strace.ts";

/** What was done with one path. */
export interface Seen {
  kinds: Set<Kind>;
  wrote: boolean;
  /** What the first read found. */
  result: "found" | "absent" | "error" | undefined;
  /** Whether it was read before the run changed it, if it did. */
  readFirst: boolean;
  /** The calls, to explain a difference. */
  calls: Set<string>;
}

/** A traced run. */
export interface OracleRun {
  code: number;
  stdout: string;
  stderr: string;
  /** Accesses by canonical path, a byte string, in the order of the first. */
  seen: Map<string, Seen>;
  /** Paths that may be named or not: their canonical form is a convention. */
  vague: Set<string>;
  /** Names in a rename. */
  moved: Set<string>;
  /** Where the model and the kernel disagree; none if all is well. */
  doubts: string[];
  /** How many calls strace saw. */
  calls: number;
}

/** What to run. */
export interface OracleRequest {
  command: readonly string[];
  cwd: string;
  env?: Record<string, string>;
  /** Trees whose links may change during the run. Default: `cwd`. */
  roots?: readonly string[];
}

/** Runs a command under strace. */
export async function runOracle(request: OracleRequest): Promise<OracleRun> {
  const log = await Deno.makeTempFile({ prefix: "clibs-strace-" });
  try {
    const roots = [...request.roots ?? [], request.cwd];
    const model = new Links(roots.map(toBytes));
    const { code, stdout, stderr } = await new Deno.Command("strace", {
      args: [...STRACE_ARGS, "-o", log, "--", ...request.command],
      cwd: request.cwd,
      env: request.env,
      stdin: "null",
    }).output();
    const text = Buffer.from(await Deno.readFile(log)).toString("latin1");
    const { calls, ends } = readStrace(text);
    const oracle = new Oracle(model, toBytes(request.cwd));
    oracle.replay(calls, ends);
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
      seen: oracle.seen,
      vague: oracle.vague,
      moved: oracle.moved,
      doubts: oracle.doubts,
      calls: calls.length,
    };
  } finally {
    await Deno.remove(log);
  }
}

/** A path as a byte string; lone surrogates U+DC80.. stand for bytes. */
export function toBytes(path: string): string {
  let bytes = "";
  for (const c of path) {
    const code = c.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) {
      bytes += String.fromCharCode(code - 0xdc00);
    } else bytes += Buffer.from(c).toString("latin1");
  }
  return bytes;
}

/** Folder of a process, shared by its threads. */
interface Place {
  cwd: string;
}

/** Follows processes, folders and links through a log. */
class Oracle {
  readonly seen = new Map<string, Seen>();
  readonly vague = new Set<string>();
  readonly moved = new Set<string>();
  readonly doubts: string[] = [];
  readonly #places = new Map<number, Place>();

  constructor(readonly links: Links, readonly start: string) {}

  /** Replays calls: resolved as of their entry, in force from their return. */
  replay(calls: Call[], ends: { pid: number; line: number }[]): void {
    const events: { at: number; order: number; run: () => void }[] = [];
    for (const call of calls) {
      let effect: (() => void) | void;
      events.push({
        at: call.start,
        order: 0,
        run: () => effect = this.#enter(call, this.#place(call.pid)),
      }, { at: call.end, order: 1, run: () => effect?.() });
    }
    for (const { pid, line } of ends) {
      events.push({ at: line, order: 2, run: () => this.#places.delete(pid) });
    }
    events.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const { run } of events) run();
  }

  #place(pid: number): Place {
    const known = this.#places.get(pid);
    if (known) return known;
    const place = { cwd: this.start };
    this.#places.set(pid, place);
    return place;
  }

  /** Notes what a call accesses; returns what it changes by succeeding. */
  #enter(call: Call, place: Place): (() => void) | void {
    const { name, args } = call;
    const succeeds = call.value !== undefined && call.error === undefined;
    const find = (path: number, at: boolean, stays: boolean) =>
      this.#resolve(call, place, at ? args[path - 1] : undefined, args[path], {
        stays,
      });
    if (/^(clone3?|v?fork)$/.test(name)) {
      if (call.value === undefined || call.value <= 0) return;
      const shares = args.some(({ text }) => text.includes("CLONE_FS"));
      this.#places.set(call.value, shares ? place : { ...place });
      return;
    }
    if (/^(open|openat|openat2|creat)$/.test(name)) {
      return this.#open(call, place);
    }
    if (name.startsWith("exec")) {
      const path = name === "execve"
        ? find(0, false, false)
        : find(1, true, false);
      return this.#exec(call, path ?? args[0]?.path, succeeds);
    }
    if (name.startsWith("getdents")) {
      if (args[0]?.path !== undefined && !args[0].deleted) {
        this.#note(call, args[0].path, ["readdir"]);
      }
      return;
    }
    if (name === "unshare") {
      // A thread gets a folder of its own.
      if (succeeds && hasFlag(call, "CLONE_FS")) {
        this.#places.set(call.pid, { ...place });
      }
      return;
    }
    if (name === "fchdir") {
      return () => {
        if (succeeds) place.cwd = args[0]?.path ?? place.cwd;
      };
    }
    if (/^(rename|link|symlink)/.test(name)) {
      return this.#pair(call, place, succeeds);
    }
    const meaning = CALLS[name];
    if (!meaning) return;
    const path = find(
      meaning.path,
      meaning.at ?? false,
      meaning.stays ?? hasFlag(call, "AT_SYMLINK_NOFOLLOW"),
    );
    if (path === undefined) return;
    const changes = succeeds && meaning.changes !== undefined;
    // realpath() asks of every folder whether it is a link.
    const kinds = call.error === "EINVAL" ? [] : meaning.kinds ?? [];
    this.#note(call, path, kinds, changes);
    if (!succeeds) return;
    if (name === "chdir") return () => place.cwd = path;
    if (meaning.changes === "name") {
      return () => this.links.set(path, undefined);
    }
  }

  #open(call: Call, place: Place): void {
    const { name, args } = call;
    const at = name.startsWith("openat");
    const creates = name === "creat" || hasFlag(call, "O_CREAT");
    const exclusive = creates && hasFlag(call, "O_EXCL");
    const path = this.#resolve(
      call,
      place,
      at ? args[0] : undefined,
      args[at ? 1 : 0],
      {
        stays: exclusive || hasFlag(call, "O_NOFOLLOW"),
      },
    );
    if (path === undefined) return;
    const succeeds = call.value !== undefined && call.error === undefined;
    if (hasFlag(call, "O_TMPFILE")) return;
    const writes = creates || hasFlag(call, "O_WRONLY") ||
      hasFlag(call, "O_RDWR") || hasFlag(call, "O_TRUNC");
    const reads = !writes || hasFlag(call, "O_RDWR") && !exclusive;
    if (
      succeeds && !call.deleted && call.path?.startsWith("/") &&
      call.path !== path && !/^\/(proc|dev)\//.test(path)
    ) {
      this.doubts.push(`${describe(call)} opened ${call.path}, not ${path}`);
    }
    const kinds: Kind[] = hasFlag(call, "O_PATH")
      ? []
      : reads
      ? ["regular", "link"]
      : [];
    this.#note(call, path, kinds, writes && succeeds);
  }

  #exec(call: Call, path: string | undefined, succeeds: boolean): void {
    for (let depth = 0; path !== undefined && depth < 5; depth++) {
      this.#note(call, path, ["exec"]);
      if (!succeeds) return;
      // The kernel opens a script's interpreter, which strace does not show.
      let line = "";
      try {
        line = readFileSync(Buffer.from(path, "latin1")).subarray(0, 256)
          .toString("latin1");
      } catch {
        return;
      }
      const name: string | undefined = /^#![ \t]*([^ \t\n]+)/.exec(line)?.[1];
      if (name === undefined) return;
      path = this.#walk(call, this.#place(call.pid).cwd, name, {
        stays: false,
      });
    }
  }

  /** Calls with two paths. */
  #pair(call: Call, place: Place, succeeds: boolean): (() => void) | void {
    const { name, args } = call;
    const at = name !== "rename" && name !== "link" && name !== "symlink";
    const find = (dir: number, path: number, stays: boolean) =>
      this.#resolve(call, place, at ? args[dir] : undefined, args[path], {
        stays,
      });
    if (name.startsWith("symlink")) {
      const path = find(1, at ? 2 : 1, true);
      if (path === undefined) return;
      this.#note(call, path, [], succeeds);
      return () => {
        if (succeeds) this.links.set(path, { text: args[0]?.string ?? "" });
      };
    }
    const isLink = name.startsWith("link");
    const from = find(
      0,
      at ? 1 : 0,
      !(isLink && hasFlag(call, "AT_SYMLINK_FOLLOW")),
    );
    const to = find(2, at ? 3 : 1, true);
    if (from !== undefined) {
      // What the run wrote itself is not read from elsewhere.
      const isOwn = !isLink && this.seen.get(from)?.wrote;
      const kinds: Kind[] = isOwn || !succeeds ? [] : ["regular", "link"];
      this.#note(call, from, kinds, succeeds && !isLink);
      if (to !== undefined && succeeds && !isLink) {
        this.moved.add(from).add(to);
      }
    }
    if (to !== undefined) this.#note(call, to, [], succeeds);
    if (!succeeds || from === undefined || to === undefined) return;
    if (isLink) return () => this.links.set(to, this.links.get(from));
    return () => {
      this.links.rename(from, to, hasFlag(call, "RENAME_EXCHANGE"));
      for (const each of new Set(this.#places.values())) {
        if (isIn(each.cwd, from)) each.cwd = to + each.cwd.slice(from.length);
      }
    };
  }

  /** Canonical path of an argument; undefined if there is none to be had. */
  #resolve(
    call: Call,
    place: Place,
    dir: Argument | undefined,
    path: Argument | undefined,
    options: { stays: boolean },
  ): string | undefined {
    // With an empty path the descriptor itself is meant.
    if (!path?.string || call.error === "EFAULT") return undefined;
    if (dir?.path === undefined) {
      return this.#walk(call, place.cwd, path.string, options);
    }
    if (
      dir.text.startsWith("AT_FDCWD") && !dir.deleted && dir.path !== place.cwd
    ) {
      this.doubts.push(`${describe(call)} is in ${dir.path}, not ${place.cwd}`);
      place.cwd = dir.path;
    }
    return this.#walk(call, dir.path, path.string, options);
  }

  #walk(
    call: Call,
    from: string,
    path: string,
    { stays }: { stays: boolean },
  ): string | undefined {
    let todo = path.split("/");
    let at = path.startsWith("/") ? "" : from === "/" ? "" : from;
    const failed = call.error === "ENOENT" || call.error === "ENOTDIR";
    let vague = false;
    for (let links = 0; todo.length > 0;) {
      const [name = "", ...rest] = todo;
      todo = rest;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        // Of a call that failed, it may be that nothing is before this.
        if (failed) vague = true;
        at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
        continue;
      }
      const next = `${at}/${name}`;
      const isLast = rest.every((part) => part === "" || part === ".");
      const target = isLast && stays && rest.length === 0
        ? undefined
        : this.links.get(next)?.text;
      if (target === undefined) {
        at = next;
        continue;
      }
      if (++links > 40) return undefined;
      if (vague) this.vague.add(next);
      else this.#note({ ...call, error: undefined, value: 0 }, next, ["link"]);
      if (target.startsWith("/")) at = "";
      todo = [...target.split("/"), ...rest];
    }
    if (!vague) return at || "/";
    this.vague.add(at);
    return undefined;
  }

  #note(call: Call, path: string, kinds: Kind[], wrote = false): void {
    const { error, value } = call;
    let seen = this.seen.get(path);
    if (!seen) {
      seen = {
        kinds: new Set(),
        wrote: false,
        result: undefined,
        readFirst: false,
        calls: new Set(),
      };
      this.seen.set(path, seen);
    }
    // A folder where there is none says little of what is there.
    const isUnsure = error === "ENOTDIR" && hasFlag(call, "O_DIRECTORY");
    const tells = kinds.length > 0 ||
      error !== undefined && error !== "EINVAL";
    if (tells && !wrote) {
      seen.result ??= isUnsure
        ? "error"
        : error === "ENOENT" || error === "ENOTDIR"
        ? "absent"
        : error !== undefined || value === undefined
        ? "error"
        : "found";
    }
    if (kinds.length > 0 && !seen.wrote) seen.readFirst = true;
    for (const kind of kinds) seen.kinds.add(kind);
    seen.wrote ||= wrote;
    if (seen.calls.size < 5) seen.calls.add(describe(call));
  }
}

function hasFlag({ args }: Call, flag: string): boolean {
  const whole = new RegExp(`\\b${flag}\\b`);
  return args.some(({ text, string }) =>
    string === undefined && whole.test(text)
  );
}

/** A call as a person would read it. */
function describe({ pid, name, args, value, error }: Call): string {
  const list = args.map(({ text, string }) =>
    string ?? text.replace(/<[^>]*>/, "")
  );
  return `${pid} ${name}(${list.join(", ").slice(0, 200)}) = ${error ?? value}`;
}
