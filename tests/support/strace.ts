/**
 * Reads what `strace -f -y -xx` wrote: system calls, in order.
 *
 * Texts and paths are byte strings: one character, U+0000 to U+00FF, per byte.
 * With -xx strace prints them in hexadecimal only, so that nothing in a name
 * can look like syntax.
 */

/** Options for strace that this reader understands. */
export const STRACE_ARGS: readonly string[] = [
  "-f",
  "-y",
  "-xx",
  "-s",
  "8192",
  "--seccomp-bpf",
  "-e",
  "trace=%file,%process,getdents,getdents64,chdir,fchdir,unshare",
  "-e",
  "signal=none",
];

/** One argument of a call. */
export interface Argument {
  /** As printed. */
  text: string;
  /** Of a string: its bytes. */
  string?: string;
  /** Of a descriptor: the path it was open for. */
  path?: string;
  /** The descriptor's file had been deleted. */
  deleted: boolean;
}

/** One system call, from its entry to its return. */
export interface Call {
  pid: number;
  name: string;
  args: Argument[];
  /** What it returned; undefined if it did not. */
  value: number | undefined;
  /** Name of the error, if it failed. */
  error: string | undefined;
  /** The returned descriptor's path. */
  path: string | undefined;
  deleted: boolean;
  /** Lines of its entry and of its return. */
  start: number;
  end: number;
}

/** A process's end. */
export interface End {
  pid: number;
  line: number;
  how: string;
}

/** Reads a whole log. */
export function readStrace(log: string): { calls: Call[]; ends: End[] } {
  const calls: Call[] = [];
  const ends: End[] = [];
  const pending = new Map<number, { text: string; start: number }>();
  for (const [line, whole] of log.split("\n").entries()) {
    const match = /^(\d+) +(.*)$/.exec(whole);
    if (!match) continue;
    const pid = Number(match[1]);
    let text = match[2] ?? "";
    if (text.startsWith("+++")) {
      const taken = /superseded by execve in pid (\d+)/.exec(text)?.[1];
      if (taken === undefined) ends.push({ pid, line, how: text });
      const other = pending.get(Number(taken));
      if (other) {
        pending.set(pid, other);
        pending.delete(Number(taken));
      }
      continue;
    }
    if (text.startsWith("---") || text.startsWith("[")) continue;
    // A thread that ended before strace knew what it had called.
    if (text.startsWith("<... ??? resumed>")) continue;
    let start = line;
    const resumed = /^<\.\.\. \w+ resumed>/.exec(text);
    if (resumed) {
      const begun = pending.get(pid);
      if (!begun) throw new Error(`line ${line + 1} resumes nothing: ${text}`);
      pending.delete(pid);
      start = begun.start;
      text = begun.text + text.slice(resumed[0].length);
    }
    const cut = text.indexOf(" <unfinished ...>");
    if (cut >= 0) {
      pending.set(pid, { text: text.slice(0, cut), start });
      continue;
    }
    calls.push(parse(pid, text, start, line));
  }
  for (const [pid, { text, start }] of pending) {
    calls.push(parse(pid, `${text}) = ?`, start, Infinity));
  }
  return { calls, ends };
}

function parse(pid: number, text: string, start: number, end: number): Call {
  const open = text.indexOf("(");
  const { args, rest } = argumentsOf(text, open + 1);
  const result =
    /^\s*=\s*(\?|-?\d+|0x[0-9a-f]+)(?:<([^>]*)>(\(deleted\))?)?(?: (E\w+))?/
      .exec(rest);
  if (open < 0 || !result) throw new Error(`strace wrote: ${text}`);
  return {
    pid,
    name: text.slice(0, open),
    args,
    value: result[1] === "?" ? undefined : Number(result[1]),
    path: result[2] === undefined ? undefined : unhex(result[2]),
    deleted: result[3] !== undefined,
    error: result[4],
    start,
    end,
  };
}

/** Splits at the commas that are in no bracket, up to the closing one. */
function argumentsOf(
  text: string,
  from: number,
): { args: Argument[]; rest: string } {
  const args: Argument[] = [];
  let depth = 0;
  let begin = from;
  let i = from;
  for (; i < text.length; i++) {
    const c = text[i];
    if (c === '"') i = text.indexOf('"', i + 1);
    else if (c === "(" || c === "{" || c === "[") depth++;
    else if (c === ")" && depth === 0) break;
    else if (c === ")" || c === "}" || c === "]") depth--;
    else if (c === "," && depth === 0) {
      args.push(argument(text.slice(begin, i).trim()));
      begin = i + 1;
    }
  }
  if (i > begin) args.push(argument(text.slice(begin, i).trim()));
  return { args, rest: text.slice(i + 1) };
}

function argument(text: string): Argument {
  const found: Argument = { text, deleted: false };
  const quoted = /^"([^"]*)"(\.\.\.)?$/.exec(text);
  if (quoted && !quoted[2]) found.string = unhex(quoted[1] ?? "");
  const descriptor = /^(?:AT_FDCWD|\d+)<([^>]*)>(\(deleted\))?$/.exec(text);
  if (descriptor) {
    found.path = unhex(descriptor[1] ?? "");
    found.deleted = descriptor[2] !== undefined;
  }
  return found;
}

function unhex(text: string): string {
  return text.replace(
    /\\x([0-9a-f]{2})/g,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 16)),
  );
}
