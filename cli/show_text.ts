/** What `clibs show` tells, for people. */

import type {
  JobInfo,
  RunningJob,
  Shown,
  ShownDep,
  ShownTarget,
  ShowTopic,
} from "../mod.ts";
import { table } from "./table.ts";
import { formatDuration } from "./text.ts";

/** Letters of flags, in the order of their columns. */
const DEP_FLAGS = {
  critical: "c",
  essential: "e",
  ignoreError: "i",
  readdirOk: "d",
  required: "r",
  ignore: "x",
  noStar: "s",
  top: "t",
};

const TARGET_FLAGS = {
  allow: "a",
  essential: "e",
  incremental: "i",
  optional: "o",
  phony: "p",
  sourceOk: "s",
  noWarning: "w",
  ignore: "x",
};

/**
 * What is known about some files.
 *
 * The name of a file is always the last word of its line. Where there are
 * several files, each has a heading.
 */
export function shownText(
  shown: readonly Shown[],
  topic: ShowTopic,
  verbose: boolean,
): string {
  // A line for each, without more ado.
  if (topic === "inverseTargets") {
    return table(shown.map(({ job }) => [job?.rule ?? "", job?.job ?? ""]));
  }
  const parts = shown.map((one) => textOf(one, topic, verbose));
  if (parts.length === 1) return parts[0]!;
  return parts.map((text, i) => `# ${shown[i]!.file}\n${text}`).join("\n");
}

function textOf(shown: Shown, topic: ShowTopic, verbose: boolean): string {
  switch (topic) {
    case "info":
      return infoText(shown.info!);
    case "deps":
      return depsText(shown.deps!, verbose) + systemText(shown.system);
    case "inverseDeps":
      return table((shown.users ?? []).map(({ rule, job, accesses }) => [
        ...verbose ? [accesses] : [],
        rule,
        job,
      ]));
    case "targets":
      return targetsText(shown.targets!, verbose);
    case "inverseTargets":
      return "";
    case "bom":
      return (shown.sources ?? []).map((file) => table([[file]])).join("") +
        systemText(shown.system);
    case "env":
      return Object.entries(shown.env ?? {}).sort()
        .map(([name, value]) => `${name}=${value}\n`).join("");
    case "trace":
      return table((shown.trace ?? []).map(({ what, name }) => [what, name]));
    default:
      return ended(shown.text ?? "");
  }
}

/** A text with a newline at its end, unless there is nothing. */
function ended(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function infoText(info: JobInfo): string {
  const list = (names: readonly string[]) => names.join(", ");
  const pairs = (values: Record<string, unknown>) =>
    list(Object.entries(values).map(([name, value]) => `${name}=${value}`));
  const rows: [string, string][] = [
    ["rule", info.rule],
    ["job", info.job],
    ["reason", info.reason],
    ["status", info.status],
    ["rc", String(info.exit ?? "")],
    ["to run again", info.unreliable ?? ""],
    ...info.problems.map((text): [string, string] => ["problem", text]),
    ...info.depsInError.map(({ file, status }): [string, string] => [
      "dep in error",
      `${status} ${file}`,
    ]),
    ["frozen", list(info.frozen)],
    ["started", new Date(info.startedMs).toISOString()],
    ["took", formatDuration(info.durationMs)],
    ["stems", pairs(info.stems)],
    ["resources", pairs(info.resources ?? {})],
    ["autodep", info.autodep ?? ""],
    ["tmp", info.tmp ?? ""],
    ["deps", String(info.deps)],
    ["targets", String(info.targets)],
    ["system packages", info.packages > 0 ? String(info.packages) : ""],
  ];
  return table(rows.filter(([, text]) => text !== ""));
}

function depsText(deps: readonly ShownDep[], verbose: boolean): string {
  const drawn = drawing(deps);
  const isDrawn = drawn.some((mark) => mark !== " ");
  return table(deps.map((dep, i) => [
    ...isDrawn ? [drawn[i]!] : [],
    letters(dep.flags, DEP_FLAGS),
    dep.accesses,
    dep.key ?? (dep.codec ? "(code)" : ""),
    ...verbose ? [dep.sum] : [],
    dep.file,
  ]));
}

/** A bracket around the deps of each group, as they were declared together. */
function drawing(deps: readonly ShownDep[]): string[] {
  return deps.map(({ group }, i) => {
    const isFirst = deps[i - 1]?.group !== group;
    const isLast = deps[i + 1]?.group !== group;
    return isFirst ? isLast ? " " : "┌" : isLast ? "└" : "│";
  });
}

function targetsText(
  targets: readonly ShownTarget[],
  verbose: boolean,
): string {
  return table(targets.map((target) => [
    letters(target.flags, TARGET_FLAGS),
    target.official ? "target" : "side",
    target.key ?? "",
    ...verbose ? [target.sum] : [],
    target.file,
  ]));
}

/** A column for each flag, as `ls -l` has them. */
function letters(
  flags: readonly string[],
  names: Readonly<Record<string, string>>,
): string {
  return Object.entries(names)
    .map(([name, letter]) => flags.includes(name) ? letter : "-").join("");
}

function systemText(packages: readonly string[] | undefined): string {
  if (packages === undefined) return "";
  return table(packages.map((text) => ["(system)", text]));
}

/** The jobs that are running. */
export function shownRunning(
  jobs: readonly RunningJob[],
  nowMs: number,
): string {
  return table(jobs.map(({ rule, job, pid, slurm, startedMs }) => [
    String(pid ?? (slurm === undefined ? "" : `slurm ${slurm}`)),
    startedMs === undefined ? "" : formatDuration(nowMs - startedMs),
    rule,
    job,
  ]));
}
