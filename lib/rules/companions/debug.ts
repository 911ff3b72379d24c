/** Writes a script that runs a job again by hand. */

import { dirname, join } from "node:path";
import { ClibsError } from "../../errors.ts";
import { EMPTY_FILE, NO_FILE } from "../../host/checksum.ts";
import { sha256Hex } from "../../host/digest.ts";
import { removeFile } from "../../host/files.ts";
import { quoteWord } from "../../host/shell.ts";
import { describeFunction } from "../engine/command.ts";
import { QUARANTINE } from "../engine/prepare.ts";
import type { Repo } from "../repo.ts";
import type { JobLog, JobRecord } from "../state/record.ts";
import { PRIVATE } from "../root.ts";
import { settledJob } from "./attributes.ts";
import { isSource, jobsOf, opened } from "./repo.ts";
import type { DebugOptions, DebugReport } from "./types.ts";

/** Writes the script of a job, and runs it with the caller's terminal. */
export async function debugJob(options: DebugOptions): Promise<DebugReport> {
  return await opened(options, true, async (repo) => {
    const [named] = jobsOf(repo, { ...options, files: [options.file] });
    const { record } = named!;
    const script = await writeScript(repo, record);
    const report = { rule: record.rule, job: record.name, script };
    options.onScript?.(script);
    if (options.dryRun) return report;
    const { attended } = await import("./debug_server.ts");
    const code = await attended(repo, record, script, options);
    return { ...report, code };
  });
}

async function writeScript(repo: Repo, record: JobRecord): Promise<string> {
  const log = repo.store.log(record.id);
  if (!log || log.argv.length === 0) {
    throw new ClibsError(
      "CLIBS_LMAKE_NO_JOB",
      `Cannot run ${record.name} by hand: its last run never started`,
      { facts: { rule: record.rule, status: record.status } },
    );
  }
  const folder = join(repo.root, PRIVATE, "debug");
  const full = `${record.rule}-${record.name}`;
  const plain = full.replace(/[^\w.+-]+/g, "_").slice(-100);
  // Two jobs may only differ in what a name of a file cannot have.
  const name = plain === full
    ? plain
    : `${plain}-${sha256Hex(record.id).slice(0, 6)}`;
  Deno.mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.sh`);
  removeFile(join(folder, `${name}.kept`));
  const text = await scriptText(repo, record, log, join(folder, name));
  Deno.writeTextFileSync(path, text);
  Deno.chmodSync(path, 0o755);
  return path;
}

async function scriptText(
  repo: Repo,
  record: JobRecord,
  log: JobLog,
  base: string,
): Promise<string> {
  const { root } = repo;
  const tmp = `${base}.tmp`;
  const before = log.env["TMPDIR"];
  const moved = (text: string) => before ? text.replaceAll(before, tmp) : text;
  const env = Object.entries({ ...log.env, TMPDIR: tmp })
    .map(([name, value]) => quoteWord(`${name}=${moved(value)}`));
  const rule = repo.table.rule(record.rule);
  const isFunction = rule?.cmd?.kind === "function";
  const old = record.targets.filter(({ file, flags }) =>
    !flags.includes("incremental") && !isSource(repo, file)
  ).map(({ file, sum }) => ({
    file,
    isEdited: ![sum, NO_FILE, EMPTY_FILE].includes(repo.files.look(file).sum),
  }));
  const folders = new Set(
    record.targets.map(({ file }) => dirname(file)).filter((dir) =>
      dir !== "."
    ),
  );
  const argv = (await argvOf(repo, record, log, base))
    .map((word) => quoteWord(moved(word)));
  const lines = [
    "#!/bin/bash",
    `# Runs a job again by hand: ${oneLine(record.rule)} ${
      oneLine(record.name)
    }`,
    "# Nothing is traced or remembered. What asks clibs (ldepend, depend(), ...)",
    "# is only answered if this is run by `clibs debug`.",
    `cd ${quoteWord(root)} || exit`,
    `rm -rf ${quoteWord(tmp)} && mkdir -p ${quoteWord(tmp)} || exit`,
    ...old.flatMap(({ file, isEdited }) => [
      ...isEdited ? keptSafe(file, `${base}.kept`) : [],
      `rm -f -- ${quoteWord(file)}`,
    ]),
    ...folders.size > 0
      ? [`mkdir -p -- ${[...folders].map(quoteWord).join(" ")}`]
      : [],
    "exec env -i \\",
    '  ${CLIBS_JOB_SOCKET:+"CLIBS_JOB_SOCKET=$CLIBS_JOB_SOCKET"} \\',
    '  ${CLIBS_JOB_ID:+"CLIBS_JOB_ID=$CLIBS_JOB_ID"} \\',
    ...isFunction
      ? [
        '  "DENO_DIR=${DENO_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/deno}" \\',
        "  NO_COLOR=1 DENO_NO_UPDATE_CHECK=1 \\",
      ]
      : [],
    ...env.map((word) => `  ${word} \\`),
    `  ${argv.join(" ")} \\`,
    `  <${quoteWord(log.stdin || "/dev/null")}${
      log.stdoutTarget === undefined ? "" : ` >${quoteWord(log.stdoutTarget)}`
    }`,
  ];
  return lines.join("\n") + "\n";
}

/** An edit by hand is kept where `clibs make` keeps it; what the script made is not. */
function keptSafe(file: string, mark: string): string[] {
  const safe = join(QUARANTINE, file);
  const [from, to, folder] = [file, safe, dirname(safe)].map(quoteWord);
  return [
    `if [ ! -e ${quoteWord(mark)} ]; then`,
    `  mkdir -p -- ${folder} && mv -f -- ${from} ${to} || exit`,
    `  : >${quoteWord(mark)}`,
    "fi",
  ];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

/** The command line; what it read from the job's folder, which is gone, is written again. */
async function argvOf(
  repo: Repo,
  record: JobRecord,
  log: JobLog,
  base: string,
): Promise<string[]> {
  const last = log.argv.at(-1)!;
  if (!last.startsWith(join(repo.root, PRIVATE, "run") + "/")) return log.argv;
  const state = await settledJob(repo, record);
  const cmd = state?.job.rule.cmd;
  if (!state || cmd?.kind !== "function") {
    Deno.writeTextFileSync(`${base}.cmd`, log.cmd);
    return [...log.argv.slice(0, -1), `${base}.cmd`];
  }
  Deno.writeTextFileSync(
    `${base}.json`,
    JSON.stringify(
      describeFunction(state, { ...cmd, text: log.cmd }, repo.root),
    ),
  );
  return [...log.argv.slice(0, -1), `${base}.json`];
}
