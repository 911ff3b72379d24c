/** Stands in for `node:fs` in `Lmakefile.ts`: reads are noted. */

import fs from "node:fs";
import promisesFs from "./node_fs_promises.ts";
import { noting } from "./record_files.ts";

export * from "node:fs";

export const access = noting(fs.access);
export const accessSync = noting(fs.accessSync);
export const createReadStream = noting(fs.createReadStream);
export const exists = noting(fs.exists);
export const existsSync = noting(fs.existsSync);
export const lstat = noting(fs.lstat);
export const lstatSync = noting(fs.lstatSync);
export const open = noting(fs.open);
export const openSync = noting(fs.openSync);
export const readFile = noting(fs.readFile);
export const readFileSync = noting(fs.readFileSync);
export const readlink = noting(fs.readlink);
export const readlinkSync = noting(fs.readlinkSync);
export const realpath = noting(fs.realpath);
export const realpathSync = noting(fs.realpathSync);
export const stat = noting(fs.stat);
export const statSync = noting(fs.statSync);
export const promises = promisesFs;

export default {
  ...fs,
  access,
  accessSync,
  createReadStream,
  exists,
  existsSync,
  lstat,
  lstatSync,
  open,
  openSync,
  readFile,
  readFileSync,
  readlink,
  readlinkSync,
  realpath,
  realpathSync,
  stat,
  statSync,
  promises,
};
