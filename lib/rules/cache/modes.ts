/** Permissions of what is in a cache: those of its folder. */

/** Mode bits for what is made in a cache. */
export interface Modes {
  /** Of folders: a group that may write, and sets the group of what is made. */
  folder: number;
  /** Of files. */
  file: number;
}

/**
 * The modes that the folder of a cache asks for: whoever may write in it may
 * write in all of it, whatever the umask of the one who made it.
 */
export function modesOf(dir: string): Modes {
  const mode = Deno.statSync(dir).mode ?? 0o700;
  return { folder: mode & 0o2777, file: mode & 0o666 };
}

/** Makes a folder in a cache, and those above it up to the cache's own. */
export function makeFolder(path: string, { folder }: Modes): void {
  try {
    Deno.mkdirSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    makeFolder(path.slice(0, path.lastIndexOf("/")), { folder, file: 0 });
    return makeFolder(path, { folder, file: 0 });
  }
  Deno.chmodSync(path, folder);
}
