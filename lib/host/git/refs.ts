/** What a server says its branches and tags stand for. */

import type { GitRefKind } from "./types.ts";

/** One name on the server. */
export interface RemoteRef {
  /** Full name, as `refs/tags/v1`. */
  name: string;
  /** What it points at: for an annotated tag, what the tag points at. */
  commit: string;
}

/** A ref that was looked up. */
export interface ResolvedRef {
  /** Commit id. */
  commit: string;
  /** What the ref is. */
  refKind: GitRefKind;
  /** Full name on the server; undefined for a commit id that no name points at. */
  name?: string;
  /** Whether there are both a branch and a tag of that name. */
  ambiguous?: boolean;
}

/** Reads the output of `git ls-remote`. */
export function parseRemoteRefs(text: string): RemoteRef[] {
  const refs = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([0-9a-f]{40}|[0-9a-f]{64})\t(\S+)$/.exec(line);
    if (!match) continue;
    const [, commit = "", name = ""] = match;
    // `^{}` follows its tag and says what the tag object stands for.
    refs.set(name.replace(/\^\{\}$/, ""), commit);
  }
  return [...refs].map(([name, commit]) => ({ name, commit }));
}

/** Names without `refs/heads/` and `refs/tags/`; tags first. */
export function shortNames(refs: readonly RemoteRef[]): string[] {
  const below = (prefix: string) =>
    refs.filter(({ name }) => name.startsWith(prefix))
      .map(({ name }) => name.slice(prefix.length));
  return [...new Set([...below("refs/tags/"), ...below("refs/heads/")])];
}

/**
 * Looks a ref up among the server's names.
 *
 * A branch goes before a tag of the same name, as in `git clone --branch`.
 */
export function findRef(
  ref: string,
  refs: readonly RemoteRef[],
): ResolvedRef | undefined {
  const exact = (name: string) => refs.find((other) => other.name === name);
  if (ref === "HEAD" || ref.startsWith("refs/")) {
    const found = exact(ref);
    const refKind = ref.startsWith("refs/tags/") ? "tag" : "branch";
    return found && { ...found, refKind };
  }
  const branch = exact(`refs/heads/${ref}`);
  const tag = exact(`refs/tags/${ref}`);
  if (branch) {
    return { ...branch, refKind: "branch", ambiguous: tag !== undefined };
  }
  return tag && { ...tag, refKind: "tag" };
}

/** The newest release among tags, judged by their version numbers. */
export function newestTag(
  refs: readonly RemoteRef[],
): { tag: string; commit: string } | undefined {
  const families = new Map<string, { tag: string; commit: string }[]>();
  for (const { name, commit } of refs) {
    const tag = name.slice("refs/tags/".length);
    const match = /^(.*?)(\d+(?:[._-]\d+)*)$/.exec(tag);
    const prefix = match?.[1] ?? "";
    if (!name.startsWith("refs/tags/") || !match) continue;
    // `v2.0-rc1` and `v2.0-beta-2` have their digits after the word.
    if (/(rc|alpha|beta|pre|dev|test|snapshot)[._-]?$/i.test(prefix)) continue;
    families.set(prefix, [...families.get(prefix) ?? [], { tag, commit }]);
  }
  // The scheme that most tags follow: one odd `20010101` is not the newest.
  const family = [...families.entries()]
    .sort(([, a], [, b]) => b.length - a.length)[0];
  if (!family) return undefined;
  const [prefix, tags] = family;
  const version = (tag: string) =>
    tag.slice(prefix.length).split(/[._-]/).map(Number);
  return tags.sort((a, b) => compare(version(b.tag), version(a.tag)))[0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? -1) - (b[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
