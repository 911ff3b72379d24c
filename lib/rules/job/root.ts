/** The root of the repo, as this process knows it. */

let root: string | undefined;

/** Sets it, absolute and without a last slash. */
export function setRepoRoot(path: string): void {
  root = path;
}

/** The root; the current folder of a process that nobody told. */
export function repoRoot(): string {
  return root ??= Deno.cwd();
}
