/** Reads the rules of a repo and of its sub-repos. */

import { join, posix } from "node:path";
import { ClibsError } from "../../errors.ts";
import { removeFile, writeFileAtomic } from "../../host/files.ts";
import { PRIVATE, SUB_REPOS } from "../root.ts";
import type { Definition, Evaluator, RuleSpec } from "../model.ts";
import { loadDefinition, type Loaded, type LoadOptions } from "./load.ts";

/** Which rule of which reading a rule is. */
interface Origin {
  evaluator: Evaluator;
  name: string;
}

/**
 * Reads `Lmakefile.ts`, and those of the sub-repos that it names, as one: names
 * of sub-repos are from the root, rules know theirs.
 *
 * @throws {ClibsError} As {@linkcode loadDefinition}.
 */
export async function loadRepo(options: LoadOptions): Promise<Loaded> {
  const top = await loadDefinition(options);
  const { subRepos } = top.definition.config;
  // As a rule there are none.
  if (subRepos.length === 0) return top;
  const all: Loaded[] = [top];
  try {
    return await withSubRepos(options, all);
  } catch (error) {
    await Promise.all(all.map(({ evaluator }) => evaluator.close()));
    throw error;
  }
}

async function withSubRepos(
  options: LoadOptions,
  all: Loaded[],
): Promise<Loaded> {
  const [top] = all as [Loaded];
  const rules: RuleSpec[] = [...top.definition.rules];
  const origins = new Map<string, Origin>(
    rules.map(({ name }) => [name, { evaluator: top.evaluator, name }]),
  );
  const folders = top.definition.config.subRepos.map((sub) => plain(sub));
  // The list grows by the sub-repos of sub-repos.
  for (const folder of folders) {
    const loaded = await loadDefinition({
      ...options,
      root: join(options.root, folder),
      topRoot: options.root,
    });
    all.push(loaded);
    for (const sub of loaded.definition.config.subRepos) {
      folders.push(`${folder}/${plain(sub)}`);
    }
    for (const rule of loaded.definition.rules) {
      const name = origins.has(rule.name)
        ? `${folder}:${rule.name}`
        : rule.name;
      origins.set(name, { evaluator: loaded.evaluator, name: rule.name });
      const place = `${folder}/${rule.place}`;
      rules.push({ ...rule, name, place, sub: folder });
    }
  }
  const definition: Definition = {
    rules,
    config: { ...top.definition.config, subRepos: folders },
  };
  return {
    definition,
    environUsed: Object.assign(
      {},
      ...all.map(({ environUsed }) => environUsed),
    ),
    lookedAt: all.flatMap(({ lookedAt }) => lookedAt),
    evaluator: {
      async evaluate(rule, attribute, context) {
        const { evaluator, name } = origins.get(rule)!;
        return await evaluator.evaluate(name, attribute, context);
      },
      async close() {
        await Promise.all(all.map(({ evaluator }) => evaluator.close()));
      },
    },
  };
}

/** Notes sub-repos, by which commands in them find the repo. */
export function noteSubRepos(root: string, { config }: Definition): void {
  const path = join(root, PRIVATE, SUB_REPOS);
  if (config.subRepos.length === 0) return removeFile(path);
  writeFileAtomic(path, JSON.stringify(config.subRepos));
}

/** A folder's name without needless parts. */
function plain(folder: string): string {
  const name = posix.normalize(folder).replace(/\/+$/, "");
  if (name !== "." && !name.startsWith("..") && !name.startsWith("/")) {
    return name;
  }
  throw new ClibsError(
    "CLIBS_LMAKE_CONFIG",
    `Cannot use the sub-repo ${folder}: it is not below the root`,
    { hint: "name folders from the root of the repo" },
  );
}
