/** Temporary folders that end with the test. */

import { dirname, join } from "node:path";

/** A temporary folder; `using` removes it. */
export class TempDir implements Disposable {
  /** Absolute path, without links. */
  readonly path: string;

  constructor() {
    this.path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "clibs-" }));
  }

  /** Absolute path of something in it. */
  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  /** Writes files, with their folders; keys are paths in the folder. */
  write(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = this.join(name);
      Deno.mkdirSync(dirname(path), { recursive: true });
      Deno.writeTextFileSync(path, text);
    }
  }

  /** Reads a text file. */
  read(name: string): string {
    return Deno.readTextFileSync(this.join(name));
  }

  /** Whether something is there; links are not followed. */
  has(name: string): boolean {
    try {
      Deno.lstatSync(this.join(name));
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
