/** Notes the files that user code reads while an attribute is evaluated. */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Notes files. */
export interface FileRecorder {
  /** Starts; what it returns ends it, and gives absolute names. */
  begin(): () => string[];
}

const READS = [
  "open",
  "readFile",
  "readTextFile",
  "readLink",
  "stat",
  "lstat",
  "realPath",
];

const NODE_READS = [
  "access",
  "createReadStream",
  "exists",
  "lstat",
  "open",
  "readFile",
  "readlink",
  "realpath",
  "stat",
];

/**
 * Puts itself in front of the functions that read files.
 *
 * Programs that user code runs are not seen here: they are by the tracer,
 * which is around the whole process.
 */
export async function recordFiles(): Promise<FileRecorder> {
  let seen: Set<string> | undefined;
  const note = (path: unknown) => {
    if (!seen) return;
    if (path instanceof URL) {
      if (path.protocol === "file:") seen.add(fileURLToPath(path));
    } else if (typeof path === "string") seen.add(resolve(path));
  };
  const wrap = (owner: object, name: string) => {
    const call = Reflect.get(owner, name);
    if (typeof call !== "function") return;
    const noting = function (this: unknown, ...args: unknown[]) {
      note(args[0]);
      return Reflect.apply(call, this, args);
    };
    Object.assign(noting, call);
    Object.defineProperty(owner, name, {
      value: noting,
      configurable: true,
      writable: true,
    });
  };
  for (const name of READS) {
    wrap(Deno, name);
    wrap(Deno, `${name}Sync`);
  }
  const { default: fs } = await import("node:fs");
  const { syncBuiltinESMExports } = await import("node:module");
  for (const name of NODE_READS) {
    wrap(fs, name);
    wrap(fs, `${name}Sync`);
    wrap(fs.promises, name);
  }
  syncBuiltinESMExports();
  return {
    begin() {
      const files = new Set<string>();
      seen = files;
      return () => {
        seen = undefined;
        return [...files];
      };
    },
  };
}
