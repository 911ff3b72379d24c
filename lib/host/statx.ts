/** Status of files in full nanoseconds, many times a millisecond. */

import { bytesToPath, hasRawBytes } from "./bytes_path.ts";
import { systemErrorCode } from "../errors.ts";
import { isAbsent } from "./files.ts";
import {
  cPath,
  ENOENT,
  ENOTDIR,
  errno,
  type Libc,
  libc,
  systemError,
} from "./libc.ts";

/** Status of a file. */
export interface StatNs {
  /** Bytes. */
  size: number;
  /** Type and permission bits. */
  mode: number;
  /** Names that the file has. */
  nlink: number;
  /** Inode. */
  ino: bigint;
  /** Device: major times 2³² plus minor. */
  dev: number;
  /** When content last changed, in nanoseconds since 1970. */
  mtimeNs: bigint;
  /** When content, names or mode last changed, in nanoseconds since 1970. */
  ctimeNs: bigint;
}

/**
 * Whether times are exact. If not, Deno tells them: `mtimeNs` in whole
 * milliseconds, `ctimeNs` in whole seconds.
 */
export const timesAreExact: boolean = libc !== undefined;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** STATX_BASIC_STATS without blocks. */
const WANTED = 0x3ff;

const ENAMETOOLONG = 36;
const ELOOP = 40;
/** Nothing is there, or can be: the last two are names that no file has. */
const ABSENT: readonly number[] = [ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP];

const answer = new Uint8Array(256);
const view = new DataView(answer.buffer);

/** Status of a path without following a link; undefined if there is nothing. */
export function lstatNs(path: string): StatNs | undefined {
  return libc
    ? statx(libc, path, AT_SYMLINK_NOFOLLOW)
    : ifPresent(() => Deno.lstatSync(path));
}

/** Status of what a path leads to; undefined if there is nothing. */
export function statNs(path: string): StatNs | undefined {
  return libc ? statx(libc, path, 0) : ifPresent(() => Deno.statSync(path));
}

/** Status of each path without following links, in their order. */
export function lstatMany(paths: readonly string[]): (StatNs | undefined)[] {
  return paths.map((path) => lstatNs(path));
}

/** Whether it is a regular file. */
export function isFile(stat: StatNs): boolean {
  return (stat.mode & 0o170000) === 0o100000;
}

/** Whether it is a folder. */
export function isFolder(stat: StatNs): boolean {
  return (stat.mode & 0o170000) === 0o040000;
}

/** Whether it is a symbolic link. */
export function isLink(stat: StatNs): boolean {
  return (stat.mode & 0o170000) === 0o120000;
}

/** Whether somebody may execute it. */
export function isExecutable(stat: StatNs): boolean {
  return (stat.mode & 0o111) !== 0;
}

/**
 * What tells a file as it is from what it was, short of reading it: equal
 * texts, equal content, unless it was written twice within one tick of the
 * file system's clock.
 */
export function stampText(stat: StatNs): string {
  return `${stat.size} ${stat.mode} ${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

/** Text of a link; undefined if there is nothing, or it is no link. */
export function readLinkNs(path: string): string | undefined {
  if (libc) {
    const cName = cPath(path);
    if (!cName) return undefined;
    const buffer = new Uint8Array(4096);
    const length = Number(libc.readlink(cName, buffer, BigInt(buffer.length)));
    if (length >= 0) return bytesToPath(buffer.subarray(0, length));
    const code = errno(libc);
    const EINVAL = 22;
    if (ABSENT.includes(code) || code === EINVAL) return undefined;
    if (hasRawBytes(path)) throw systemError("readlink", path, code);
  }
  if (!ifPresent(() => Deno.lstatSync(path), isLink)) return undefined;
  return Deno.readLinkSync(path);
}

function statx(
  functions: Libc,
  path: string,
  flags: number,
): StatNs | undefined {
  const cName = cPath(path);
  if (!cName) return undefined;
  if (functions.statx(AT_FDCWD, cName, flags, WANTED, answer) === 0) {
    return {
      size: view.getUint32(40, true) + view.getUint32(44, true) * 2 ** 32,
      mode: view.getUint16(28, true),
      nlink: view.getUint32(16, true),
      ino: view.getBigUint64(32, true),
      dev: view.getUint32(136, true) * 2 ** 32 + view.getUint32(140, true),
      mtimeNs: timeAt(112),
      ctimeNs: timeAt(96),
    };
  }
  const code = errno(functions);
  if (ABSENT.includes(code)) return undefined;
  if (hasRawBytes(path)) throw systemError("statx", path, code);
  // Deno says what is wrong, or answers where statx is forbidden (seccomp).
  const follow = flags === 0;
  return ifPresent(() => follow ? Deno.statSync(path) : Deno.lstatSync(path));
}

function timeAt(offset: number): bigint {
  return view.getBigInt64(offset, true) * 1_000_000_000n +
    BigInt(view.getUint32(offset + 8, true));
}

function ifPresent(
  get: () => Deno.FileInfo,
  filter: (stat: StatNs) => boolean = () => true,
): StatNs | undefined {
  try {
    const stat = fromDeno(get());
    return filter(stat) ? stat : undefined;
  } catch (error) {
    if (isAbsent(error) || isImpossible(error)) return undefined;
    throw error;
  }
}

function isImpossible(error: unknown): boolean {
  return error instanceof Deno.errors.FilesystemLoop ||
    systemErrorCode(error) === "ENAMETOOLONG";
}

function fromDeno(info: Deno.FileInfo): StatNs {
  const mtimeMs = info.mtime?.getTime() ?? 0;
  const kind = info.isSymlink
    ? 0o120000
    : info.isDirectory
    ? 0o040000
    : info.isFile
    ? 0o100000
    : 0;
  return {
    size: info.size,
    mode: info.mode ?? (kind | 0o644),
    nlink: info.nlink ?? 1,
    ino: BigInt(info.ino ?? 0),
    dev: info.dev,
    mtimeNs: BigInt(mtimeMs) * 1_000_000n,
    ctimeNs: BigInt(info.ctime?.getTime() ?? mtimeMs) * 1_000_000n,
  };
}
