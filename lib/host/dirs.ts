/** Folders of the user. */

import { join } from "node:path";

/**
 * The folder for downloads that can be had again.
 *
 * `CLIBS_CACHE_DIR`, else the platform's cache folder with `clibs` below it
 * (`$XDG_CACHE_HOME`, `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`).
 */
export function cacheDir(
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string {
  const own = env("CLIBS_CACHE_DIR");
  if (own) return own;
  if (Deno.build.os === "windows") {
    return join(env("LOCALAPPDATA") ?? "C:\\", "clibs", "cache");
  }
  const home = env("HOME") ?? "/tmp";
  if (Deno.build.os === "darwin") return join(home, "Library/Caches/clibs");
  return join(env("XDG_CACHE_HOME") || join(home, ".cache"), "clibs");
}
