/** Stands in for `node:fs/promises` in `Lmakefile.ts`: reads are noted. */

import fs from "node:fs/promises";
import { noting } from "./record_files.ts";

export * from "node:fs/promises";

export const access = noting(fs.access);
export const lstat = noting(fs.lstat);
export const open = noting(fs.open);
export const readFile = noting(fs.readFile);
export const readlink = noting(fs.readlink);
export const realpath = noting(fs.realpath);
export const stat = noting(fs.stat);

export default {
  ...fs,
  access,
  lstat,
  open,
  readFile,
  readlink,
  realpath,
  stat,
};
