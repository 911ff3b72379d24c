/** What system calls do with paths. */

/** How a path was read. */
export type Kind = "regular" | "link" | "stat" | "exec" | "readdir";

/** Where a call has its path, and what it does with it. */
export interface Meaning {
  /** Index of the path; the folder's descriptor is before it in `…at` calls. */
  path: number;
  at?: boolean;
  /** Whether a link at the end is left alone. Default: as its flags say. */
  stays?: boolean;
  kinds?: Kind[];
  /** What it changes if it succeeds. */
  changes?: "contents" | "name";
}

const ALL: Kind[] = ["regular", "link", "stat"];
const EXISTS: Kind[] = ["link", "stat"];

/** Calls with one path, by name. */
export const CALLS: Record<string, Meaning> = {
  stat: { path: 0, kinds: ALL },
  lstat: { path: 0, kinds: ALL, stays: true },
  newfstatat: { path: 1, at: true, kinds: ALL },
  fstatat64: { path: 1, at: true, kinds: ALL },
  stat64: { path: 0, kinds: ALL },
  lstat64: { path: 0, kinds: ALL, stays: true },
  statx: { path: 1, at: true, kinds: ALL },
  access: { path: 0, kinds: EXISTS },
  faccessat: { path: 1, at: true, kinds: EXISTS },
  faccessat2: { path: 1, at: true, kinds: EXISTS },
  readlink: { path: 0, kinds: ["link"], stays: true },
  readlinkat: { path: 1, at: true, kinds: ["link"], stays: true },
  statfs: { path: 0 },
  inotify_add_watch: { path: 1 },
  getxattr: { path: 0 },
  lgetxattr: { path: 0, stays: true },
  listxattr: { path: 0 },
  llistxattr: { path: 0, stays: true },
  chdir: { path: 0 },
  unlink: { path: 0, stays: true, changes: "name" },
  unlinkat: { path: 1, at: true, stays: true, changes: "name" },
  rmdir: { path: 0, stays: true, changes: "name" },
  mkdir: { path: 0, stays: true, changes: "contents" },
  mkdirat: { path: 1, at: true, stays: true, changes: "contents" },
  mknod: { path: 0, stays: true, changes: "contents" },
  mknodat: { path: 1, at: true, stays: true, changes: "contents" },
  truncate: { path: 0, changes: "contents" },
  chmod: { path: 0, changes: "contents" },
  fchmodat: { path: 1, at: true, changes: "contents" },
  chown: { path: 0, changes: "contents" },
  lchown: { path: 0, stays: true, changes: "contents" },
  fchownat: { path: 1, at: true, changes: "contents" },
  utime: { path: 0, changes: "contents" },
  utimes: { path: 0, changes: "contents" },
  futimesat: { path: 1, at: true, changes: "contents" },
  utimensat: { path: 1, at: true, changes: "contents" },
  setxattr: { path: 0, changes: "contents" },
  lsetxattr: { path: 0, stays: true, changes: "contents" },
  removexattr: { path: 0, changes: "contents" },
  lremovexattr: { path: 0, stays: true, changes: "contents" },
};
