/** Finds the submodules of a commit, and refuses what is wrong with them. */

import { resolveSubmoduleUrl } from "./address.ts";
import { parseGitAddress } from "./address.ts";
import { type Subject, unsafe } from "./failures.ts";
import type { CachedRepository } from "./repository.ts";
import type { TreeEntry } from "./tree.ts";

/** A submodule that is to be checked out. */
export interface SubmodulePlan {
  /** Path below the parent's work tree. */
  path: string;
  /** Its commit id. */
  commit: string;
  /** Its address, as for a request: it may hold the parent's password. */
  repo: string;
}

/**
 * Reads `.gitmodules` of a commit.
 *
 * @param parent Address of the repository, as written.
 * @throws {ClibsError} `CLIBS_GIT_UNSAFE` for commands, odd names and local
 *   paths in a remote repository, and for a submodule without an address.
 */
export async function planSubmodules(
  repository: CachedRepository,
  subject: Subject,
  parent: string,
  entries: readonly TreeEntry[],
): Promise<SubmodulePlan[]> {
  const gitlinks = entries.filter(({ mode }) => mode === "160000");
  if (gitlinks.length === 0) return [];
  const file = entries.find(({ path }) => path === ".gitmodules");
  if (!file?.mode.startsWith("100")) {
    throw unsafe(subject, "a submodule has no address in .gitmodules", {
      entry: gitlinks[0]?.path ?? "",
    });
  }
  const modules = await readModules(repository, file.id);
  const plans: SubmodulePlan[] = [];
  for (const { path, id } of gitlinks) {
    const found = [...modules].find(([, module]) =>
      module.get("path") === path
    );
    const [name, module] = found ?? [];
    const url = module?.get("url");
    if (name === undefined || !module || url === undefined) {
      throw unsafe(subject, "a submodule has no address in .gitmodules", {
        entry: path,
      });
    }
    const update = module.get("update") ?? "checkout";
    if (update.trimStart().startsWith("!")) {
      throw unsafe(subject, "a submodule asks to run a command", {
        entry: path,
        update,
      });
    }
    if (/(^|[\\/])\.\.([\\/]|$)/.test(name)) {
      throw unsafe(subject, "a submodule's name leads out of the repository", {
        entry: path,
        name,
      });
    }
    // git leaves these out as well.
    if (update === "none") continue;
    plans.push({ path, commit: id, repo: address(subject, parent, path, url) });
  }
  return plans;
}

function address(
  subject: Subject,
  parent: string,
  path: string,
  url: string,
): string {
  const repo = resolveSubmoduleUrl(parent, url);
  const { transport, shown } = parseGitAddress(repo);
  if (transport === "file" && subject.address.transport !== "file") {
    throw unsafe(subject, "a submodule points at this machine's own files", {
      entry: path,
      url: shown,
    });
  }
  return repo;
}

async function readModules(
  repository: CachedRepository,
  blob: string,
): Promise<Map<string, Map<string, string>>> {
  const { text } = await repository.git([
    "config",
    "--blob",
    blob,
    "--no-includes",
    "--null",
    "--list",
  ]);
  const modules = new Map<string, Map<string, string>>();
  for (const record of text.split("\0")) {
    const [, name, key, value] =
      /^submodule\.([^\n]*)\.([^.\n]+)(?:\n([^]*))?$/.exec(record) ?? [];
    if (name === undefined || key === undefined) continue;
    const module = modules.get(name) ?? new Map<string, string>();
    module.set(key, value ?? "");
    modules.set(name, module);
  }
  return modules;
}
