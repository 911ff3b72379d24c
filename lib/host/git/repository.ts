/** The bare repository of one address in the cache. */

import { join } from "node:path";
import { ClibsError } from "../../errors.ts";
import { sha256Hex } from "../digest.ts";
import {
  lstatIfExists,
  removeFile,
  removeTree,
  temporaryBeside,
} from "../files.ts";
import { withLock } from "../lock.ts";
import { localSetting } from "./environment.ts";
import { type GitOutput, runGit } from "./run.ts";
import type { GitRequest } from "./types.ts";
import { type GitAddress, parseGitAddress } from "./address.ts";
import { isFullCommitId } from "./ref.ts";

/** A cached repository; whoever has one holds its lock. */
export class CachedRepository {
  /** Folder of the bare repository. */
  readonly dir: string;
  #signal: AbortSignal | undefined;

  /** Use {@linkcode withRepository}. */
  constructor(dir: string, signal?: AbortSignal) {
    this.dir = dir;
    this.#signal = signal;
  }

  /** Runs a git command on files only. */
  git(
    args: readonly string[],
    more: { cwd?: string; env?: Record<string, string>; input?: string } = {},
  ): Promise<GitOutput> {
    const setting = localSetting(this.dir);
    return runGit({
      options: [...setting.options, `--git-dir=${this.dir}`],
      env: { ...setting.env, ...more.env },
      args,
      cwd: more.cwd ?? this.dir,
      ...(more.input === undefined ? {} : { input: more.input }),
      ...(this.#signal ? { signal: this.#signal } : {}),
    });
  }

  /** Makes the repository if it is absent or broken, and tidies it up. */
  async open(objectFormat: "sha1" | "sha256"): Promise<void> {
    if (lstatIfExists(this.dir)) {
      removeLeftovers(this.dir);
      const check = await this.git(["rev-parse", "--git-dir"]);
      if (check.ok && await this.#format() === objectFormat) return;
      removeTree(this.dir);
    }
    const temporary = temporaryBeside(this.dir);
    const setting = localSetting(temporary);
    const made = await runGit({
      ...setting,
      args: [
        "init",
        "--quiet",
        "--bare",
        "--template=",
        // Versions before 2.29 do not know the option.
        ...(objectFormat === "sha1" ? [] : ["--object-format=sha256"]),
        "--",
        temporary,
      ],
      cwd: join(this.dir, ".."),
    });
    if (!made.ok) {
      removeTree(temporary);
      throw new ClibsError("CLIBS_GIT_CACHE", "Cannot make a git repository", {
        facts: { folder: this.dir, git: made.lines.slice(-2).join("; ") },
        hint: "check the owner and the free space of the cache folder",
      });
    }
    Deno.renameSync(temporary, this.dir);
  }

  async #format(): Promise<"sha1" | "sha256"> {
    const found = await this.git(["config", "extensions.objectformat"]);
    return found.text.trim() === "sha256" ? "sha256" : "sha1";
  }

  /** Whether the repository has a history with an end that it does not know. */
  get isShallow(): boolean {
    return (lstatIfExists(join(this.dir, "shallow"))?.size ?? 0) > 0;
  }

  /** The commit that an id or name stands for, if it is here. */
  async commit(id: string): Promise<string | undefined> {
    if (!lstatIfExists(this.dir)) return undefined;
    const found = await this.git([
      "rev-parse",
      "--quiet",
      "--verify",
      "--end-of-options",
      `${id}^{commit}`,
    ]);
    const commit = found.text.trim();
    return found.ok && isFullCommitId(commit) ? commit : undefined;
  }
}

/** Runs `work` with the cached repository of an address, under its lock. */
export function withRepository<T>(
  request: Pick<GitRequest, "what" | "cache" | "repo" | "feedback" | "signal">,
  work: (repository: CachedRepository, address: GitAddress) => Promise<T>,
): Promise<T> {
  const address = parseGitAddress(request.repo);
  // Without the password, so that a new one finds the old repository.
  const dir = join(request.cache, "git-v1", `${sha256Hex(address.url)}.git`);
  return withLock(`${dir}.lock`, {
    doing: `fetching ${request.what}`,
    ...(request.feedback ? { feedback: request.feedback } : {}),
    ...(request.signal ? { signal: request.signal } : {}),
  }, () => work(new CachedRepository(dir, request.signal), address));
}

/**
 * Removes what a killed git left. The caller holds the lock of the repository,
 * and git dies with the clibs that started it, so none of it is in use.
 */
function removeLeftovers(dir: string): void {
  removeFile(join(dir, "FETCH_HEAD"));
  const visit = (folder: string) => {
    if (!lstatIfExists(folder)?.isDirectory) return;
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      const path = join(folder, name);
      if (/^tmp_|\.lock$|\.keep$|^shallow_/.test(name)) removeTree(path);
      // Two hex digits: loose objects, which are written by rename.
      else if (isDirectory && !/^[0-9a-f]{2}$/.test(name)) visit(path);
    }
  };
  visit(dir);
}
