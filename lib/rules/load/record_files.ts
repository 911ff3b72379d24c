/** Notes the files that user code reads while an attribute is evaluated. */

import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

let seen: Set<string> | undefined;

/** Begins to note files; what it returns ends that, and gives absolute names. */
export function recordFiles(): () => string[] {
  const files = new Set<string>();
  seen = files;
  return () => {
    seen = undefined;
    return [...files];
  };
}

/** A function that notes the file which its first argument names. */
export function noting<Call>(call: Call): Call {
  if (typeof call !== "function") return call;
  const noted = function (this: unknown, ...args: unknown[]): unknown {
    note(args[0]);
    return Reflect.apply(call, this, args);
  };
  // `realpathSync.native`, and what promisify() looks for.
  return Object.assign(noted, call) as Call;
}

function note(path: unknown): void {
  if (!seen) return;
  if (path instanceof URL) {
    if (path.protocol === "file:") seen.add(fileURLToPath(path));
  } else if (typeof path === "string") {
    seen.add(isAbsolute(path) ? path : join(Deno.cwd(), path));
  }
}

const DENO_READS = [
  "lstat",
  "open",
  "readFile",
  "readLink",
  "readTextFile",
  "realPath",
  "stat",
] as const;

/**
 * Puts itself in front of Deno's functions that read files. For those of Node
 * there are modules that stand in for `node:fs`.
 *
 * Programs that user code runs are not seen here: they are by the tracer,
 * which is around the whole process.
 */
export function noteReadsOfDeno(): void {
  for (const name of DENO_READS) {
    for (const key of [name, `${name}Sync` as const]) {
      Object.defineProperty(Deno, key, {
        value: noting(Deno[key]),
        configurable: true,
        writable: true,
      });
    }
  }
}
