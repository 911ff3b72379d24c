/** Where files can be watched, and what makes all that was seen there void. */

import { statfsSync } from "node:fs";
import { hasRawBytes } from "../../host/bytes_path.ts";
import { readTextIfExists } from "../../host/files.ts";
import { lstatNs } from "../../host/statx.ts";

/**
 * File systems whose files change only through this kernel, which tells of it.
 * Others may change from another machine, from another layer, or by whatever
 * serves them.
 */
const LOCAL: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0xf2f52010: "f2fs",
  0xca451a4e: "bcachefs",
  0x01021994: "tmpfs",
};

/** Why nothing in a folder can be watched; undefined if it can. */
export function unwatchable(root: string): string | undefined {
  // What mounts are called that way cannot be compared.
  if (hasRawBytes(root)) return "its name is not UTF-8";
  const type = statfsSync(root).type;
  if (LOCAL[type] !== undefined) return undefined;
  return `its file system (type 0x${type.toString(16)}) may change unseen`;
}

/**
 * What folder a path is, and what is mounted in it and above: what is mounted
 * over a folder tells of nothing, nor does the move of one that ours is in.
 *
 * @returns Empty if that cannot be told.
 */
export function placeOf(root: string): string {
  const stat = lstatNs(root);
  const mounts = readTextIfExists("/proc/self/mountinfo");
  if (!stat || mounts === undefined) return "";
  // As the kernel writes it.
  const path = root.replace(
    /[ \t\n\\]/g,
    (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  const near = mounts.split("\n").filter((line) => {
    const point = line.split(" ")[4] ?? "";
    return isWithin(point, path) || isWithin(path, point);
  });
  return [`${stat.dev} ${stat.ino}`, ...near].join("\n");
}

function isWithin(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

/** Half of the watches that a user may have: others need some, too. */
export function fairShare(): number {
  const text = readTextIfExists("/proc/sys/fs/inotify/max_user_watches");
  const most = Number(text ?? "");
  return most > 0 ? Math.floor(most / 2) : 4096;
}
