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
  if (stat instanceof RawStat) return stat.stamp();
  return `${stat.size} ${stat.mode} ${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

/** Milliseconds since 1970 of the last change of content, names or mode. */
export function changedMs(stat: StatNs): number {
  if (stat instanceof RawStat) return stat.changedMs();
  const { mtimeNs, ctimeNs } = stat;
  return Number(mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1e6;
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

/**
 * Status of a path without following a link, as bare numbers: size, mode,
 * inode, then seconds and nanoseconds of the last changes of content and of
 * all. Inodes beyond 2⁵³ are not exact.
 *
 * @returns Whether there is anything; undefined if that cannot be told so.
 */
export function lstatTo(path: string, to: Float64Array): boolean | undefined {
  if (!libc) return undefined;
  const cName = cPath(path);
  if (!cName) return false;
  if (libc.statx(AT_FDCWD, cName, AT_SYMLINK_NOFOLLOW, WANTED, answer) !== 0) {
    return ABSENT.includes(errno(libc)) ? false : undefined;
  }
  to[0] = view.getUint32(40, true) + view.getUint32(44, true) * 2 ** 32;
  to[1] = view.getUint16(28, true);
  to[2] = view.getUint32(32, true) + view.getUint32(36, true) * 2 ** 32;
  to[3] = secondsAt(112);
  to[4] = view.getUint32(120, true);
  to[5] = secondsAt(96);
  to[6] = view.getUint32(104, true);
  return true;
}

function statx(
  functions: Libc,
  path: string,
  flags: number,
): StatNs | undefined {
  const cName = cPath(path);
  if (!cName) return undefined;
  if (functions.statx(AT_FDCWD, cName, flags, WANTED, answer) === 0) {
    return new RawStat();
  }
  const code = errno(functions);
  if (ABSENT.includes(code)) return undefined;
  if (hasRawBytes(path)) throw systemError("statx", path, code);
  // Deno says what is wrong, or answers where statx is forbidden (seccomp).
  const follow = flags === 0;
  return ifPresent(() => follow ? Deno.statSync(path) : Deno.lstatSync(path));
}

/**
 * What statx has answered. Numbers that may not be exact are put together when
 * they are asked for: mostly it is only the stamp that is.
 */
class RawStat implements StatNs {
  readonly size = view.getUint32(40, true) +
    view.getUint32(44, true) * 2 ** 32;
  readonly mode = view.getUint16(28, true);
  readonly nlink = view.getUint32(16, true);
  readonly #inode = view.getUint32(32, true);
  readonly #inodeHigh = view.getUint32(36, true);
  readonly #device = view.getUint32(140, true);
  readonly #deviceHigh = view.getUint32(136, true);
  readonly #mtime = secondsAt(112);
  readonly #mtimeNano = view.getUint32(120, true);
  readonly #ctime = secondsAt(96);
  readonly #ctimeNano = view.getUint32(104, true);

  get ino(): bigint {
    return BigInt(this.#inodeHigh) << 32n | BigInt(this.#inode);
  }

  get dev(): number {
    return this.#deviceHigh * 2 ** 32 + this.#device;
  }

  get mtimeNs(): bigint {
    return nanoseconds(this.#mtime, this.#mtimeNano);
  }

  get ctimeNs(): bigint {
    return nanoseconds(this.#ctime, this.#ctimeNano);
  }

  changedMs(): number {
    return Math.max(
      this.#mtime * 1000 + this.#mtimeNano / 1e6,
      this.#ctime * 1000 + this.#ctimeNano / 1e6,
    );
  }

  /** The same text as of the exact numbers. */
  stamp(): string {
    const inode = this.#inodeHigh < 2 ** 21
      ? this.#inodeHigh * 2 ** 32 + this.#inode
      : this.ino;
    const mtime = nanoText(this.#mtime, this.#mtimeNano);
    const ctime = nanoText(this.#ctime, this.#ctimeNano);
    return `${this.size} ${this.mode} ${inode} ${mtime} ${ctime}`;
  }
}

/** Whole seconds, which may be negative. */
function secondsAt(offset: number): number {
  return view.getInt32(offset + 4, true) * 2 ** 32 +
    view.getUint32(offset, true);
}

function nanoseconds(seconds: number, nano: number): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nano);
}

/** The digits of {@linkcode nanoseconds}. */
function nanoText(seconds: number, nano: number): string {
  if (seconds <= 0) return String(nanoseconds(seconds, nano));
  // A leading 1 keeps the zeros.
  return seconds + String(1_000_000_000 + nano).slice(1);
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
