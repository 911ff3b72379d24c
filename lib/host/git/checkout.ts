/** Checks a ref out: resolve, fetch, write, and the same for submodules. */

import { join } from "node:path";
import { runTask, silent } from "../../feedback/bus.ts";
import { hasEntries, removeTree } from "../files.ts";
import { parseGitAddress } from "./address.ts";
import { offline, unsafe } from "./failures.ts";
import { type Progress, Remote } from "./fetch.ts";
import { checkGitRef, isCommitIdLike, isFullCommitId } from "./ref.ts";
import { newestTag, type ResolvedRef } from "./refs.ts";
import { type CachedRepository, withRepository } from "./repository.ts";
import { planSubmodules, type SubmodulePlan } from "./submodules.ts";
import type {
  GitRefKind,
  GitRequest,
  GitResult,
  GitSubmodule,
} from "./types.ts";
import { BrokenRepository, writeWorkTree } from "./worktree.ts";

const MAX_DEPTH = 10;
const MAX_SUBMODULES = 500;

/**
 * Writes the sources at a ref into a folder, without a `.git`.
 *
 * @returns The commit that was written, and its submodules.
 * @throws {ClibsError} With a `CLIBS_GIT_` code, `CLIBS_OFFLINE`, or
 *   `CLIBS_TOOL_MISSING`.
 * @throws {CancelledError} If the request's signal fires.
 */
export async function checkoutGit(request: GitRequest): Promise<GitResult> {
  parseGitAddress(request.repo);
  checkGitRef(request.ref);
  if (request.commit !== undefined && !isFullCommitId(request.commit)) {
    throw new TypeError("commit has to be a full commit id");
  }
  if (hasEntries(request.into)) {
    throw new TypeError("the folder to check out into is not empty");
  }
  return await runTask(
    request.feedback ?? silent,
    "git",
    request.what,
    (progress) => checkoutNested(request, progress, 0, []),
  );
}

async function checkoutNested(
  request: GitRequest,
  progress: Progress,
  depth: number,
  done: GitSubmodule[],
): Promise<GitResult> {
  const { plans, commit, refKind } = await withRepository(
    request,
    (repository, address) =>
      checkoutOne(
        request,
        repository,
        new Remote(request, address, progress),
      ),
  );
  for (const plan of plans) {
    if (depth >= MAX_DEPTH || done.length >= MAX_SUBMODULES) {
      throw unsafe(
        { ...request, address: parseGitAddress(request.repo) },
        `submodules are nested deeper than ${MAX_DEPTH}, or there are more than ${MAX_SUBMODULES}`,
        { entry: plan.path },
      );
    }
    const url = parseGitAddress(plan.repo).shown;
    done.push({ path: plan.path, commit: plan.commit, url });
    const before = done.length;
    await checkoutNested(
      {
        ...request,
        repo: plan.repo,
        ref: plan.commit,
        commit: plan.commit,
        into: join(request.into, plan.path),
      },
      progress,
      depth + 1,
      done,
    );
    for (const nested of done.slice(before)) {
      nested.path = `${plan.path}/${nested.path}`;
    }
  }
  return { commit, ref: request.ref, refKind, submodules: done };
}

interface Checkout {
  commit: string;
  refKind: GitRefKind;
  plans: SubmodulePlan[];
}

async function checkoutOne(
  request: GitRequest,
  repository: CachedRepository,
  remote: Remote,
): Promise<Checkout> {
  const locked = request.commit?.toLowerCase();
  const resolved: ResolvedRef = locked === undefined
    ? await resolve(request, repository, remote)
    : { commit: locked, refKind: kindOf(request.ref) };
  const { commit, refKind, name } = resolved;
  const write = () =>
    writeWorkTree(
      repository,
      remote.subject,
      commit,
      request.into,
      request.feedback ?? silent,
    );
  const fetch = () =>
    remote.fetch(repository, commit, name, locked !== undefined);
  if (await repository.commit(commit) !== commit) await fetch();
  let entries;
  try {
    entries = await write();
  } catch (error) {
    if (!(error instanceof BrokenRepository) || request.offline) throw error;
    // A power cut or a full disk may have eaten objects: once more, from none.
    if (hasEntries(request.into)) removeTree(request.into);
    removeTree(repository.dir);
    await fetch();
    entries = await write();
  }
  await remember(repository, request.ref, resolved);
  const plans = request.submodules
    ? await planSubmodules(repository, remote.subject, request.repo, entries)
    : [];
  return { commit, refKind, plans };
}

function kindOf(ref: string): GitRefKind {
  if (isFullCommitId(ref)) return "commit";
  return ref.startsWith("refs/heads/")
    ? "branch"
    : ref.startsWith("refs/tags/")
    ? "tag"
    : "commit";
}

async function resolve(
  request: GitRequest,
  repository: CachedRepository,
  remote: Remote,
): Promise<ResolvedRef> {
  const { ref } = request;
  if (isFullCommitId(ref)) {
    return { commit: ref.toLowerCase(), refKind: "commit" };
  }
  if (request.offline) return await recall(repository, remote, ref);
  const found = await remote.find();
  if (found) return found;
  const cached = await repository.commit(ref.toLowerCase());
  if (cached) return { commit: cached, refKind: "commit" };
  return await remote.findAbbreviated(repository);
}

/** Notes what a ref stands for, for work without a network. */
async function remember(
  repository: CachedRepository,
  ref: string,
  { commit, refKind, name }: ResolvedRef,
): Promise<void> {
  if (name === undefined) {
    await repository.git([
      "update-ref",
      `refs/clibs/commits/${commit}`,
      commit,
    ]);
    return;
  }
  await repository.git([
    "update-ref",
    `refs/clibs/seen/${refKind}/${ref}`,
    commit,
  ]);
}

async function recall(
  repository: CachedRepository,
  remote: Remote,
  ref: string,
): Promise<ResolvedRef> {
  for (const refKind of ["branch", "tag"] as const) {
    const commit = await repository.commit(`refs/clibs/seen/${refKind}/${ref}`);
    if (commit) return { commit, refKind };
  }
  const commit = isCommitIdLike(ref)
    ? await repository.commit(ref.toLowerCase())
    : undefined;
  if (commit) return { commit, refKind: "commit" };
  throw offline(remote.subject);
}

/**
 * Asks the server what a ref stands for now.
 *
 * A full commit id is taken as it is. `cache` is used only for an abbreviated
 * one, which takes a fetch to find.
 *
 * @throws {ClibsError} As {@linkcode checkoutGit} does.
 */
export async function resolveGitRef(
  request: Pick<
    GitRequest,
    | "what"
    | "asked"
    | "repo"
    | "ref"
    | "cache"
    | "offline"
    | "stallMs"
    | "signal"
    | "feedback"
  >,
): Promise<{ commit: string; refKind: GitRefKind }> {
  const address = parseGitAddress(request.repo);
  checkGitRef(request.ref);
  if (isFullCommitId(request.ref)) {
    return { commit: request.ref.toLowerCase(), refKind: "commit" };
  }
  const remote = new Remote(request, address);
  const found = await remote.find() ??
    await withRepository(
      request,
      (repository) => remote.findAbbreviated(repository),
    );
  return { commit: found.commit, refKind: found.refKind };
}

/**
 * The newest release of a repository, judged by its tags' version numbers.
 *
 * @param repo Address, as for {@linkcode checkoutGit}.
 * @returns Undefined if no tag looks like a release.
 */
export async function latestGitTag(
  repo: string,
  signal?: AbortSignal,
): Promise<{ tag: string; commit: string } | undefined> {
  const remote = new Remote(
    { what: repoName(repo), repo, ref: "HEAD", ...(signal ? { signal } : {}) },
    parseGitAddress(repo),
  );
  return newestTag(await remote.refs());
}

function repoName(repo: string): string {
  const last = repo.replace(/\/+$/, "").split(/[/:]/).pop() ?? "";
  return last.replace(/\.git$/, "") || "the repository";
}
