/** Copies, moves and removes the targets below a folder. */

import { Autodep } from "./autodep.ts";
import { argumentError, listRoot, listTargets } from "./calls.ts";

type Regexpr = string | RegExp | undefined;

/** Copies targets: bytes, execute bits, links as they are. */
export async function cpTargetTree(
  fromDir: string,
  toDir: string,
  regexpr?: Regexpr,
): Promise<void> {
  const call = "cpTargetTree";
  const to = checkOther(call, fromDir, toDir);
  for (const [from, rest] of await targetsIn(call, fromDir, regexpr)) {
    const copy = `${to}/${rest}`;
    makeWay(copy);
    if (Deno.lstatSync(from).isSymlink) {
      Deno.symlinkSync(Deno.readLinkSync(from), copy);
    } else copyFile(from, copy);
  }
}

/** Moves targets, and removes what folders are empty then. */
export async function mvTargetTree(
  fromDir: string,
  toDir: string,
  regexpr?: Regexpr,
): Promise<void> {
  const call = "mvTargetTree";
  const to = checkOther(call, fromDir, toDir);
  const targets = await targetsIn(call, fromDir, regexpr);
  for (const [from, rest] of targets) {
    const moved = `${to}/${rest}`;
    makeWay(moved);
    Deno.renameSync(from, moved);
  }
  removeEmpty(targets);
}

/** Removes targets, and what folders are empty then. */
export async function rmTargetTree(
  dir: string,
  regexpr?: Regexpr,
): Promise<void> {
  const targets = await targetsIn("rmTargetTree", dir, regexpr);
  for (const [name] of targets) Deno.removeSync(name);
  removeEmpty(targets);
}

/** Names of targets, and what of each comes after the folder. */
async function targetsIn(
  call: string,
  dir: string,
  regexpr: Regexpr,
): Promise<[name: string, rest: string][]> {
  const folder = checkFolder(call, dir);
  const names = await listTargets(folder, regexpr);
  const root = await listRoot(folder);
  const prefix = root === "." ? "" : `${root}/`;
  // All before the first is touched.
  for (const name of names) {
    const info = Deno.lstatSync(name);
    if (!info.isFile && !info.isSymlink) {
      throw argumentError(call, `${name} is neither a file nor a link`);
    }
  }
  return names.map((name) => [name, name.slice(prefix.length)]);
}

/** A folder's name without needless parts. */
function checkFolder(call: string, dir: string): string {
  if (typeof dir !== "string") {
    throw argumentError(call, "the name of a folder is a string");
  }
  if (dir === "") throw argumentError(call, "the name of a folder is empty");
  if (dir.startsWith("/")) {
    throw argumentError(call, `${dir} is absolute, not below this folder`);
  }
  const parts = dir.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) {
    throw argumentError(call, `${dir} leads out of this folder`);
  }
  return parts.join("/") || ".";
}

/** The folder to copy to. */
function checkOther(call: string, fromDir: string, toDir: string): string {
  const to = checkFolder(call, toDir);
  if (to !== checkFolder(call, fromDir)) return to;
  throw argumentError(call, `${fromDir} and ${toDir} are the same folder`);
}

/**
 * Makes the folder, and removes what is there: a write would go through a link.
 *
 * Looking whether there is something must not count as reading it: the file
 * would be a dep, and a target as soon as it is written.
 */
function makeWay(to: string): void {
  using _scope = new Autodep(false);
  Deno.mkdirSync(parentOf(to), { recursive: true });
  try {
    Deno.removeSync(to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** `Deno.copyFile` opens the copy for reading first, see {@linkcode makeWay}. */
function copyFile(from: string, to: string): void {
  using source = Deno.openSync(from, { read: true });
  const mode = source.statSync().mode ?? 0o666;
  using copy = Deno.openSync(to, {
    write: true,
    createNew: true,
    mode: mode & 0o777,
  });
  const chunk = new Uint8Array(1 << 18);
  for (let count; (count = source.readSync(chunk)) !== null;) {
    for (let at = 0; at < count;) {
      at += copy.writeSync(chunk.subarray(at, count));
    }
  }
  // The umask may have taken it away.
  if (mode & 0o111) Deno.chmodSync(to, mode & 0o777);
}

/** Removes folders that have lost their last file, up to the one listed. */
function removeEmpty(targets: [name: string, rest: string][]): void {
  const folders = new Set<string>();
  for (const [name, rest] of targets) {
    const root = name.slice(0, name.length - rest.length);
    for (
      let dir = parentOf(name);
      dir !== "." && dir.length + 1 >= root.length;
      dir = parentOf(dir)
    ) folders.add(dir);
  }
  // Folders are no files: whether one is there is nothing to depend on.
  using _scope = new Autodep(false);
  // Deepest first.
  for (const dir of [...folders].sort((a, b) => b.length - a.length)) {
    try {
      Deno.removeSync(dir);
    } catch {
      // Not empty, or gone.
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}
