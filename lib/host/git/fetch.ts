/** Talks to the server: looks refs up and gets commits into the cache. */

import type { EventFields } from "../../feedback/bus.ts";
import type { GitAddress } from "./address.ts";
import { remoteSetting } from "./environment.ts";
import {
  commitGone,
  facts,
  isFinal,
  offline,
  refNotFound,
  refUnusable,
  remoteFailure,
  type Subject,
} from "./failures.ts";
import { isCommitIdLike, isFullCommitId } from "./ref.ts";
import {
  findRef,
  parseRemoteRefs,
  type RemoteRef,
  type ResolvedRef,
  shortNames,
} from "./refs.ts";
import type { CachedRepository } from "./repository.ts";
import { type GitOutput, runGit } from "./run.ts";
import type { GitRequest } from "./types.ts";

/** What of a request concerns the server. */
export type RemoteRequest =
  & Pick<GitRequest, "what" | "repo" | "ref">
  & Partial<
    Pick<GitRequest, "asked" | "offline" | "stallMs" | "signal" | "feedback">
  >;

/** How progress is reported. */
export type Progress = (
  fields: Omit<EventFields["task.progress"], "task">,
) => void;

/** One repository on its server. */
export class Remote {
  /** For messages. */
  readonly subject: Subject;
  #request: RemoteRequest;
  #progress: Progress;
  #stallMs: number;
  #warned = false;
  #refs: RemoteRef[] | undefined;

  /** @param progress Gets what git tells while it fetches. */
  constructor(
    request: RemoteRequest,
    address: GitAddress,
    progress: Progress = () => {},
  ) {
    this.subject = {
      what: request.what,
      ref: request.ref,
      address,
      ...(request.asked === undefined ? {} : { asked: request.asked }),
    };
    this.#request = request;
    this.#progress = progress;
    this.#stallMs = request.stallMs ?? 60_000;
  }

  /** Branches and tags, and the asked ref if it is a full name. */
  async refs(): Promise<RemoteRef[]> {
    if (this.#refs) return this.#refs;
    const { ref } = this.#request;
    const full = ref === "HEAD" || ref.startsWith("refs/");
    const output = await this.#run([
      "ls-remote",
      ...(full ? [] : ["--heads", "--tags"]),
      "--",
      this.subject.address.url,
    ], "/");
    if (!output.ok) throw remoteFailure(this.subject, output, this.#stallMs);
    return this.#refs = parseRemoteRefs(output.text);
  }

  /** Looks the ref up by its name; undefined if it may be a commit id. */
  async find(): Promise<ResolvedRef | undefined> {
    const refs = await this.refs();
    const { ref } = this.#request;
    const found = findRef(ref, refs);
    if (found?.ambiguous) {
      this.#request.feedback?.emit(
        "warn",
        "note",
        `git ref "${ref}" is a branch and a tag; the branch is used ` +
          `(write refs/tags/${ref} for the tag)`,
        { about: "git.ambiguous", ...facts(this.subject), ref },
      );
    }
    if (found) return found;
    if (!isCommitIdLike(ref)) throw refNotFound(this.subject, shortNames(refs));
    return undefined;
  }

  /** Finds an abbreviated commit id, if need be by a fetch of everything. */
  async findAbbreviated(repository: CachedRepository): Promise<ResolvedRef> {
    const { ref } = this.#request;
    const refs = await this.refs();
    const format = (refs[0]?.commit.length ?? 40) === 64 ? "sha256" : "sha1";
    await repository.open(format);
    // All of the history, because only that tells whether the id is unique.
    await this.#fetchAll(repository);
    const commit = await repository.commit(ref.toLowerCase());
    if (commit) return { commit, refKind: "commit" };
    const several = await repository.git([
      "rev-parse",
      `--disambiguate=${ref.toLowerCase()}`,
    ]);
    if (several.text.trim().split("\n").filter(Boolean).length > 1) {
      throw refUnusable(
        this.subject,
        "is the beginning of several ids",
        "write more digits of the commit id",
      );
    }
    throw refNotFound(this.subject, shortNames(refs));
  }

  /**
   * Gets a commit, with as little of the history as the server allows.
   *
   * @param name Name on the server that is known to point at it.
   * @param locked Whether the commit was pinned rather than found by the ref.
   */
  async fetch(
    repository: CachedRepository,
    commit: string,
    name: string | undefined,
    locked: boolean,
  ): Promise<void> {
    await repository.open(commit.length === 64 ? "sha256" : "sha1");
    if (name !== undefined) {
      if (await this.#shallow(repository, name, commit)) return;
    }
    // Newer servers give out any commit; older ones only what a name points at.
    if (await this.#shallow(repository, commit, commit)) return;
    const refs = await this.refs();
    const other = refs.find((ref) => ref.commit === commit)?.name;
    if (other !== undefined && other !== name) {
      if (await this.#shallow(repository, other, commit)) return;
    }
    await this.#fetchAll(repository, name);
    if (await repository.commit(commit) === commit) return;
    if (locked) throw commitGone(this.subject, commit);
    const full = isFullCommitId(this.#request.ref);
    if (full) throw refNotFound(this.subject, shortNames(refs));
    throw refUnusable(
      this.subject,
      "does not stand for a commit",
      "set `ref:` to a branch, a tag or a commit id",
    );
  }

  async #shallow(
    repository: CachedRepository,
    source: string,
    commit: string,
  ): Promise<boolean> {
    const output = await this.#fetch(repository, ["--depth=1"], [
      `+${source}:refs/clibs/commits/${commit}`,
    ]);
    if (!output.ok && isFinal(output)) {
      throw remoteFailure(this.subject, output, this.#stallMs);
    }
    return output.ok && await repository.commit(commit) === commit;
  }

  async #fetchAll(repository: CachedRepository, name?: string): Promise<void> {
    const output = await this.#fetch(
      repository,
      ["--prune", ...(repository.isShallow ? ["--unshallow"] : [])],
      [
        "+refs/heads/*:refs/clibs/heads/*",
        "+refs/tags/*:refs/clibs/tags/*",
        ...(name === undefined || /^refs\/(heads|tags)\//.test(name)
          ? []
          : [`+${name}:refs/clibs/other/${name}`]),
      ],
    );
    if (!output.ok) throw remoteFailure(this.subject, output, this.#stallMs);
  }

  #fetch(
    repository: CachedRepository,
    how: readonly string[],
    refspecs: readonly string[],
  ): Promise<GitOutput> {
    return this.#run([
      `--git-dir=${repository.dir}`,
      "fetch",
      "--progress",
      "--no-tags",
      "--no-recurse-submodules",
      "--update-shallow",
      ...how,
      "--",
      // By its address: no remote, and so nothing of it in the configuration.
      this.subject.address.url,
      ...refspecs,
    ], repository.dir);
  }

  #run(args: readonly string[], cwd: string): Promise<GitOutput> {
    const { address } = this.subject;
    if (this.#request.offline) throw offline(this.subject);
    this.#warnInsecure();
    const setting = remoteSetting(address, this.#stallMs);
    return runGit({
      ...setting,
      args,
      cwd,
      stallMs: this.#stallMs,
      ...(this.#request.signal ? { signal: this.#request.signal } : {}),
      onLine: (line) => this.#progress({ line, ...counters(line) }),
    });
  }

  #warnInsecure(): void {
    const { address } = this.subject;
    const plain = address.transport === "git" || address.transport === "http";
    if (!plain || this.#warned) return;
    this.#warned = true;
    this.#request.feedback?.emit(
      "warn",
      "note",
      `${address.shown} is not encrypted: nobody vouches for what comes ` +
        "until the lock file has its commit",
      { about: "git.insecure", ...facts(this.subject) },
    );
  }
}

/** Counters in a line such as `Receiving objects: 45% (9/20), 1.20 MiB | …`. */
export function counters(line: string): { bytes?: number; entries?: number } {
  const match =
    /^Receiving objects:.*\((\d+)\/\d+\)(?:, ([\d.]+) (bytes|KiB|MiB|GiB))?/
      .exec(line);
  if (!match) return {};
  const [, entries, amount, unit] = match;
  const factor = { bytes: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
  return {
    entries: Number(entries),
    ...(amount === undefined ? {} : {
      bytes: Math.round(Number(amount) * factor[unit as keyof typeof factor]),
    }),
  };
}
