/** What the key of a job's entries covers. */

import { pathToFileURL } from "node:url";
import { sha256Hex } from "../../host/digest.ts";
import { readTextIfExists } from "../../host/files.ts";
import { version } from "../../version.ts";
import { commandText, describeFunction } from "../engine/command.ts";
import type { JobState } from "../engine/state.ts";
import type { RuleSpec } from "../model.ts";
import { CACHE_FORMAT } from "./format.ts";

/** Receives, in a fixed order, everything that tells jobs apart but their deps. */
export interface KeySink {
  add(label: string, value: string): void;
}

/**
 * Lists what a key covers: what the rule matches, stems, command and its
 * environment before anything is filled in, what the rule lets its jobs do, and
 * the kind of system. Neither the rule's name counts nor where the repo is.
 */
export function writeKey(sink: KeySink, state: JobState, root: string): void {
  const { rule, stems } = state.job;
  const attributes = state.attributes!;
  sink.add("format", String(CACHE_FORMAT));
  sink.add("system", system());
  sink.add("rule", JSON.stringify(matchOf(rule)));
  for (const name of Object.keys(stems).sort()) {
    sink.add(`stem ${name}`, stems[name]!);
  }
  for (const { key, pattern, flags } of state.statics) {
    sink.add(`dep ${key}`, JSON.stringify([pattern, [...flags].sort()]));
  }
  addCommand(sink, state, root);
  for (const [name, value] of Object.entries(attributes.environ).sort()) {
    sink.add(`environ ${name}`, String(value));
  }
  const { stderrOk, readdirOk, autoMkdir, checkAbsPaths } = attributes;
  sink.add(
    "allowed",
    JSON.stringify([stderrOk, readdirOk, autoMkdir, checkAbsPaths]),
  );
}

function addCommand(sink: KeySink, state: JobState, root: string): void {
  const { cmd } = state.job.rule;
  const { shell, interpreter } = state.attributes!;
  if (cmd?.kind !== "function") {
    sink.add("command", commandText(state));
    sink.add("shell", JSON.stringify(shell));
    return;
  }
  const { functionText, imports, vars, values } = describeFunction(
    state,
    cmd,
    root,
  );
  // Modules of the repo are imported by absolute addresses.
  const home = `${pathToFileURL(root).href}/`;
  const anywhere = (text: string) => text.replaceAll(home, "$REPO_ROOT/");
  sink.add("command", anywhere(functionText));
  sink.add("imports", anywhere(JSON.stringify(imports)));
  sink.add("vars", JSON.stringify(vars ?? null));
  sink.add("values", JSON.stringify(values));
  sink.add("interpreter", JSON.stringify(interpreter));
  sink.add("runtime", `clibs ${version} deno ${Deno.version.deno}`);
}

function matchOf(rule: RuleSpec): unknown {
  const of = (specs: readonly { pattern: string; flags: string[] }[]) =>
    specs.map(({ pattern, flags }) => [pattern, [...flags].sort()]);
  return [
    rule.targets.map(({ key, pattern, flags }) => [
      key,
      pattern,
      [...flags].sort(),
    ]),
    of(rule.sideTargets),
    of(rule.sideDeps),
    Object.entries(rule.stems).sort(),
  ];
}

/** Digest of all that {@linkcode writeKey} lists: 64 hex digits. */
export function keyOf(state: JobState, root: string): string {
  const lines: string[] = [];
  writeKey(
    { add: (label, value) => void lines.push(JSON.stringify([label, value])) },
    state,
    root,
  );
  return sha256Hex(lines.join("\n"));
}

let knownSystem: string | undefined;

/**
 * What kind of system jobs run on. Its programs are not looked at: what is
 * outside the repo is taken not to change.
 */
function system(): string {
  if (knownSystem === undefined) {
    const release = readTextIfExists("/etc/os-release") ?? Deno.osRelease();
    const { os, arch } = Deno.build;
    knownSystem = `${os} ${arch} ${sha256Hex(release).slice(0, 16)}`;
  }
  return knownSystem;
}
