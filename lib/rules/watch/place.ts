/** Where files can be watched, and what makes all that was seen there void. */

import { statfsSync } from "node:fs";
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
  const type = statfsSync(root).type;
  if (LOCAL[type] !== undefined) return undefined;
  return `its file system (type 0x${type.toString(16)}) may change unseen`;
}

/**
 * What folder a path is, and what is mounted where: what is mounted over a
 * folder tells of nothing, nor does the move of one that ours is in.
 */
export function placeOf(root: string): string {
  const stat = lstatNs(root);
  const mounts = readTextIfExists("/proc/self/mountinfo");
  if (!stat || mounts === undefined) return "";
  return `${stat.dev} ${stat.ino}\n${mounts}`;
}

/** Half of the watches that a user may have: others need some, too. */
export function fairShare(): number {
  const text = readTextIfExists("/proc/sys/fs/inotify/max_user_watches");
  const most = Number(text ?? "");
  return most > 0 ? Math.floor(most / 2) : 4096;
}
