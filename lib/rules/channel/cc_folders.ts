/** Folders that a C compiler's command line names for headers and libraries. */

/** File that stands for its folder; see `dirRule`. */
export const DEFAULT_MARKER = "...";

/** Longest first: `-isystem` also begins like `-i…` of others. */
const FLAGS = ["-idirafter", "-isystem", "-iquote", "-I", "-L"];

/**
 * The folders after `-I`, `-iquote`, `-isystem`, `-idirafter` and `-L`, joined
 * or as the next argument, each once and in order.
 *
 * Those below the compiler's own root (`=…`, `$SYSROOT…`) are left out.
 */
export function ccFolders(command: readonly string[]): string[] {
  const folders = new Set<string>();
  for (let i = 1; i < command.length; i++) {
    const arg = command[i]!;
    const flag = FLAGS.find((name) => arg.startsWith(name));
    if (flag === undefined) continue;
    const folder = arg === flag ? command[++i] : arg.slice(flag.length);
    if (!folder || /^(=|\$SYSROOT)/.test(folder)) continue;
    folders.add(folder.replace(/(?<=.)\/+$/, ""));
  }
  return [...folders];
}

/** The markers in the folders of a command line. */
export function markersOf(
  command: readonly string[],
  marker: string,
): string[] {
  return ccFolders(command).map((folder) =>
    folder === "/" ? `/${marker}` : `${folder}/${marker}`
  );
}
