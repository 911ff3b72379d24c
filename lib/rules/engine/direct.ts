/**
 * Plain commands without a shell, as make runs them: a shell would take longer
 * to start than many a program to run, and would only become it in the end.
 *
 * Nobody is to see a difference. So only programs are run that tracers were
 * seen to see into, that nothing in the repo could stand in for, and with the
 * variables that the shell would set.
 */

import { stampText, type StatNs, statNs } from "../../host/statx.ts";
import { OP, STATE, type TraceRecord } from "../../trace/record.ts";
import type { AccessLog } from "../../trace/access.ts";
import { SYSTEM_PREFIXES } from "../../trace/session.ts";

/** A command that needs no shell. */
export interface DirectCommand {
  /** Path of the program. */
  program: string;
  /** The words of the command. */
  argv: string[];
  /** Variables that the shell would set. */
  env: Record<string, string>;
  /** Where the program was looked for. */
  looks: { path: string; isThere: boolean }[];
}

/** What the command would run in. */
export interface DirectOptions {
  /** Shell of the rule. */
  shell: readonly string[];
  /** Variables of the job. */
  env: Readonly<Record<string, string>>;
  /** Folder that it runs in, canonical. */
  cwd: string;
  /** Folder with the programs of clibs that jobs may call. */
  tools: string;
}

/** Words without a meaning to the shell; the first one is no assignment. */
const PLAIN = /^[\w@%+:,./-]+(?:[ \t]+[\w@%+=:,./-]+)*$/;

/** Builtins and keywords of bash. */
const OWN_WORDS = new Set(
  (". : alias bg bind break builtin caller case cd command compgen complete " +
    "compopt continue coproc declare dirs disown do done echo elif else " +
    "enable esac eval exec exit export false fc fg fi for function getopts " +
    "hash help history if in jobs kill let local logout mapfile popd printf " +
    "pushd pwd read readarray readonly return select set shift shopt source " +
    "suspend test then time times trap true type typeset ulimit umask unalias " +
    "unset until wait while").split(" "),
);

/** Variables by which the shell does something else, or that it changes. */
const OF_SHELL =
  /^(?:BASH|SHELLOPTS|POSIXLY_CORRECT|ENV$|IFS$|PWD$|OLDPWD$|SHLVL$|_$)/;

/** Programs that tracers saw into, as they were then. */
const seen = new Set<string>();
/** Paths by which they were run. */
const paths = new Set<string>();

/** Notes the programs of a run of which nothing was missed. */
export function learnPrograms({ commands, escapes }: AccessLog): void {
  for (const { program } of commands) {
    if (paths.has(program) || escapes.has(program)) continue;
    paths.add(program);
    const stat = statNs(program);
    if (stat) seen.add(identity(stat));
  }
}

/** A command without its shell; undefined if it needs one. */
export function directCommand(
  text: string,
  { shell, env, cwd, tools }: DirectOptions,
): DirectCommand | undefined {
  if (shell.length !== 1 || shell[0] !== "/bin/bash") return undefined;
  const command = text.trim();
  if (!PLAIN.test(command)) return undefined;
  const argv = command.split(/[ \t]+/);
  const name = argv[0]!;
  if (name.includes("/") || OWN_WORDS.has(name)) return undefined;
  for (const variable in env) {
    if (OF_SHELL.test(variable) || !/^[A-Za-z]\w*$/.test(variable)) {
      return undefined;
    }
  }
  const looks: DirectCommand["looks"] = [];
  for (const folder of (env["PATH"] ?? "").split(":")) {
    if (folder !== tools && !isOfSystem(folder)) return undefined;
    const program = `${folder}/${name}`;
    const stat = statNs(program);
    looks.push({ path: program, isThere: stat !== undefined });
    if (!stat) continue;
    if (!seen.has(identity(stat))) return undefined;
    const set = { PWD: cwd, SHLVL: "0", _: program };
    return { program, argv, env: set, looks };
  }
  return undefined;
}

/** Takes in what the shell would have been seen to look at. */
export function addLooks(log: AccessLog, { looks }: DirectCommand): void {
  const record: TraceRecord = {
    at: 0,
    op: OP.stat,
    state: STATE.found,
    flags: 0,
    pid: 0,
    other: 0,
    timeNs: Date.now() * 1e6,
    path: "",
    second: "",
  };
  for (const { path, isThere } of looks) {
    // Places grow; these were before all others.
    record.at += 1e-3;
    record.path = path;
    record.state = isThere ? STATE.found : STATE.absent;
    log.add(record);
  }
}

function identity(stat: StatNs): string {
  return `${stat.dev} ${stampText(stat)}`;
}

function isOfSystem(folder: string): boolean {
  return SYSTEM_PREFIXES.some((prefix) =>
    folder === prefix || folder.startsWith(`${prefix}/`)
  );
}
