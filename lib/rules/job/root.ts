/** The root of the repo, as this process knows it. */

let root: string | undefined;
let topRoot: string | undefined;

/** Sets it, and that of the outermost repo; absolute, without a last slash. */
export function setRepoRoot(path: string, topPath: string = path): void {
  root = path;
  topRoot = topPath;
}

/** The root; the current folder of a process that nobody told. */
export function repoRoot(): string {
  return root ??= Deno.cwd();
}

/** The root of the outermost repo. */
export function topRepoRoot(): string {
  return topRoot ?? repoRoot();
}
