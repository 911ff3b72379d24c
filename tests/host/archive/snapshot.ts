/** What a tree holds, as lines to compare, and a sandbox to extract in. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { lstatSync } from "node:fs";
import {
  extractArchive,
  type ExtractOptions,
  type ExtractResult,
} from "../../../lib/host/archive/mod.ts";
import { sha256File } from "../../../lib/host/digest.ts";
import { ClibsError } from "../../../lib/errors.ts";
import { TempDir } from "../../support/temp.ts";

/** Times of a tree by name, to the nanosecond: Deno's own have milliseconds. */
export function mtimes(root: string): Map<string, string> {
  const output = new Deno.Command("find", {
    args: [root, "-printf", "%P\\0%T@\\0"],
  }).outputSync();
  const fields = new TextDecoder().decode(output.stdout).split("\0");
  const times = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    times.set(fields[i]!, fields[i + 1]!.replace(/(\.\d{9})\d+$/, "$1"));
  }
  return times;
}

/** One line for each entry: name, type, mode, time, content, link group. */
export function snapshot(root: string, dates = true): string[] {
  const lines: string[] = [];
  const times = dates ? mtimes(root) : undefined;
  const groups = new Map<bigint, string>();
  const visit = (folder: string, prefix: string) => {
    const entries = [...Deno.readDirSync(folder)];
    entries.sort((a, b) => a.name < b.name ? -1 : 1);
    for (const entry of entries) {
      const path = `${folder}/${entry.name}`;
      const name = prefix + entry.name;
      const info = lstatSync(path, { bigint: true });
      const date = times ? ` ${times.get(name)}` : "";
      const mode = (info.mode & 0o7777n).toString(8);
      if (entry.isSymlink) {
        lines.push(`${name} -> ${Deno.readLinkSync(path)}${date}`);
      } else if (entry.isDirectory) {
        lines.push(`${name}/ ${mode}${date}`);
        visit(path, `${name}/`);
      } else {
        if (!groups.has(info.ino)) groups.set(info.ino, name);
        const group = info.nlink > 1n ? ` = ${groups.get(info.ino)}` : "";
        lines.push(`${name} ${mode}${date} ${sha256File(path)}${group}`);
      }
    }
  };
  visit(root, "");
  return lines;
}

/** A folder with a canary beside the one that is extracted into. */
export class Sandbox extends TempDir {
  constructor() {
    super();
    this.write({ "canary": "alive" });
  }

  /** Extracts bytes into `into`, which is new each time. */
  extract(
    bytes: Uint8Array,
    options: ExtractOptions = {},
  ): Promise<ExtractResult> {
    Deno.writeFileSync(this.join("x.archive"), bytes);
    return this.extractFile("x.archive", options);
  }

  /** Extracts a file of the sandbox into `into`. */
  extractFile(
    name: string,
    options: ExtractOptions = {},
  ): Promise<ExtractResult> {
    if (this.has("into")) {
      Deno.removeSync(this.join("into"), { recursive: true });
    }
    return extractArchive(this.join(name), this.join("into"), {
      name: "x.tar",
      ...options,
    });
  }

  /** The error of an extraction that must fail. */
  async failure(
    bytes: Uint8Array,
    options: ExtractOptions = {},
  ): Promise<ClibsError> {
    const error = await this.extract(bytes, options).then(
      () => assert.fail("the archive was accepted"),
      (error) => error,
    );
    if (!(error instanceof ClibsError)) throw error;
    this.assertUntouched();
    return error;
  }

  /** Checks that nothing beside `into` was changed or made. */
  assertUntouched(): void {
    const names = [...Deno.readDirSync(this.path)].map((entry) => entry.name);
    const known = ["canary", "into", "x.archive"];
    assert.deepEqual(names.filter((name) => !known.includes(name)), []);
    assert.equal(this.read("canary"), "alive");
  }
}

/** Runs a program; throws what it said if it fails. */
export function run(command: string, args: string[], cwd: string): void {
  const env = { LC_ALL: "C.UTF-8", TZ: "UTC" };
  const output = new Deno.Command(command, { args, cwd, env }).outputSync();
  const text = new TextDecoder().decode(output.stderr);
  assert.ok(output.success, `${command} ${args.join(" ")}: ${text}`);
}

/** Random but repeatable bytes that do not compress. */
export function noise(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed >>> 0;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
