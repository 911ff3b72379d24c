/** Marks files: taken as they are, or not to run anything when they change. */

import { ClibsError, UsageError } from "../../errors.ts";
import type { Repo } from "../repo.ts";
import type { Mark } from "../state/store.ts";
import {
  changing,
  filesOf,
  folderOf,
  isSource,
  jobOf,
  makerOf,
  nameOf,
  reading,
} from "./repo.ts";
import type { MarkName, MarkOptions, MarkReport } from "./types.ts";

const LETTERS: Record<MarkName, Mark> = { freeze: "f", "no-trigger": "t" };
const WORDS: Record<Mark, string> = {
  f: "frozen",
  t: "marked not to trigger",
};

/** Sets, removes or lists marks. */
export async function markFiles(options: MarkOptions): Promise<MarkReport> {
  const { action, mark } = options;
  if (action === "list") {
    return await reading(options, (repo) => ({ files: marked(repo, mark) }));
  }
  if (mark === undefined) {
    throw new UsageError(
      "CLIBS_USAGE_ARGUMENT",
      "Cannot change marks: it is not said which",
      { hint: "add --freeze or --no-trigger" },
    );
  }
  if (action === "add" || action === "delete") filesOf(options);
  return await changing(options, "marking files", (repo) => {
    if (action === "clear") {
      const files = marked(repo, mark);
      for (const { file } of files) repo.store.setMark(file, undefined);
      return { files };
    }
    const names = filesOf(options).flatMap((file) =>
      namesOf(repo, file, options)
    );
    // All or nothing: what is wrong with one is found before any is marked.
    const files = [...new Set(names)];
    for (const file of files) {
      if (action === "add") check(repo, file, mark);
      else checkMarked(repo, file, mark);
    }
    for (const file of files) {
      repo.store.setMark(file, action === "add" ? LETTERS[mark] : undefined);
    }
    return { files: files.map((file) => ({ file, mark })) };
  });
}

function marked({ store }: Repo, mark?: MarkName): MarkReport["files"] {
  return [...store.marks()].map(([file, letter]) => ({
    file,
    mark: letter === "f" ? "freeze" as const : "no-trigger" as const,
  })).filter((entry) => mark === undefined || entry.mark === mark)
    .sort((a, b) => a.file < b.file ? -1 : 1);
}

/**
 * The files that an argument stands for. A job cannot run for one of its
 * targets and leave the others, so that they are frozen together.
 */
function namesOf(repo: Repo, file: string, options: MarkOptions): string[] {
  if (options.byJob) {
    return jobOf(repo, file, options).targets.map((target) => target.file);
  }
  const name = nameOf(repo, folderOf(options), file);
  if (options.mark !== "freeze" || isSource(repo, name)) return [name];
  const marks = repo.store.marks();
  const others = makerOf(repo, name)?.targets
    .filter(({ official }) => official).map((target) => target.file) ?? [];
  return [
    name,
    ...others.filter((other) =>
      other !== name && (options.action === "add" || marks.get(other) === "f")
    ),
  ];
}

function check(repo: Repo, file: string, mark: MarkName): void {
  const cannot = (cause: string, hint?: string) =>
    new ClibsError("CLIBS_LMAKE_MARK", `Cannot mark ${file}: ${cause}`, {
      facts: { repo: repo.root },
      hint,
    });
  const before = repo.store.marks().get(file);
  if (before && before !== LETTERS[mark]) {
    throw cannot(`it is ${WORDS[before]}`, `clibs mark -${before}d ${file}`);
  }
  if (mark !== "freeze") return;
  if (isSource(repo, file)) {
    throw cannot("it is a source, which no job changes");
  }
  const isMade = makerOf(repo, file) !== undefined ||
    repo.table.candidates(file).flat()[0]?.rule.kind === "plain";
  if (!isMade) throw cannot("no rule makes it");
}

function checkMarked(repo: Repo, file: string, mark: MarkName): void {
  if (repo.store.marks().get(file) === LETTERS[mark]) return;
  throw new ClibsError(
    "CLIBS_LMAKE_MARK",
    `Cannot unmark ${file}: it is not ${WORDS[LETTERS[mark]]}`,
    { facts: { repo: repo.root }, hint: `clibs mark -${LETTERS[mark]}l` },
  );
}
