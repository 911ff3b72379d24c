/**
 * Builds one package for one target.
 *
 * The previous result waits aside meanwhile; see aside.ts. `_build_hash` is
 * written last.
 */

import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { ClibsError } from "../errors.ts";
import { runTask } from "../feedback/bus.ts";
import { treeDigest } from "../host/digest.ts";
import {
  hasEntries,
  removeFile,
  removeTree,
  writeFileAtomic,
} from "../host/files.ts";
import { withLock } from "../host/lock.ts";
import { findProgram, runProcess } from "../host/process.ts";
import { JOB_ID_VARIABLE } from "../jobs/group.ts";
import { OutputDigest } from "../jobs/output.ts";
import { runJob } from "../jobs/run.ts";
import { resolveToolchain, type Toolchain } from "../toolchain/toolchain.ts";
import {
  putBack,
  recover,
  removeWork,
  setAside,
  writeRunning,
} from "./aside.ts";
import {
  buildEnvironment,
  type BuiltDep,
  type EnvironmentRequest,
  ownVariables,
  rerunScript,
} from "./build_env.ts";
import { type BuildKey, buildKey, type KeyContext } from "./build_key.ts";
import { buildFailure } from "./failure.ts";
import { ensureSource, warnIfEdited } from "./fetch.ts";
import { fetchesSources } from "./source_state.ts";
import { type BuiltTree, type TargetLayout, targetLayout } from "./layout.ts";
import type { FetchContext } from "./options.ts";
import type { Package } from "./package.ts";
import { buildForTarget } from "./spec_target.ts";
import type { PackageSpec } from "./spec.ts";
import {
  BUILD_HASH,
  BUILD_INFO,
  BUILD_STATE,
  type BuildInfo,
  readState,
  writeInfo,
  writeState,
} from "./state.ts";
import { findUpToDate } from "./up_to_date.ts";
import { makeWorkCopy } from "./work_copy.ts";

/** What to build, and how. */
export interface BuildRequest {
  package: Package;
  target: string;
  /** Build even if up to date. */
  force: boolean;
  /** Keep the working copy of a build that succeeds. */
  keepWork: boolean;
  /** CPUs that the command may use. */
  jobs: number;
  /** Deps named by pkg.yaml, built. */
  deps: readonly BuiltDep[];
  /** Those and the deps of deps, each once. */
  allDeps: readonly BuiltDep[];
  /** What the key covers besides the package. */
  key: KeyContext;
  fetch: FetchContext;
}

/** What a build yielded. */
export interface Built {
  tree: BuiltTree;
  artifact: string;
  /** Whether another process had built it while this one waited. */
  built: boolean;
}

/** Builds a package unless, under the lock, it turns out to be up to date. */
export async function buildOne(request: BuildRequest): Promise<Built> {
  const { package: pkg, target, fetch } = request;
  const spec = await pkg.spec();
  const layout = targetLayout(pkg.layout.dir, target);
  const lock = {
    doing: `building ${spec.name} for ${target}`,
    feedback: fetch.feedback,
    signal: fetch.signal,
  };
  return await withLock(layout.lock, lock, async () => {
    await recover(layout);
    if (!request.force) {
      const found = findUpToDate(pkg, target, request.key);
      if (found.tree) return { ...found, built: false };
    }
    const jobId = randomUUID();
    writeRunning(layout, { jobId });
    let artifact: string;
    try {
      const source = await prepareWork(request, spec, layout);
      artifact = await build(request, spec, layout, source, jobId);
    } finally {
      removeFile(layout.running);
    }
    const state = readState(join(layout.build, BUILD_HASH));
    if (!state) throw new Error(`${layout.build}: lost its ${BUILD_HASH}`);
    return {
      tree: { dir: layout.build, origin: "build", state },
      artifact,
      built: true,
    };
  });
}

/** Fetches the sources if need be and copies them; returns their digest. */
async function prepareWork(
  request: BuildRequest,
  spec: PackageSpec,
  layout: TargetLayout,
): Promise<string | undefined> {
  const { package: pkg, fetch } = request;
  if (!fetchesSources(spec)) {
    await makeWorkCopy(undefined, layout.work, fetch.signal);
    return undefined;
  }
  const { source } = await ensureSource(pkg, fetch, {}, async () => {
    warnIfEdited(pkg, fetch);
    await makeWorkCopy(pkg.layout.download, layout.work, fetch.signal);
  });
  return source;
}

async function build(
  request: BuildRequest,
  spec: PackageSpec,
  layout: TargetLayout,
  source: string | undefined,
  jobId: string,
): Promise<string> {
  const { package: pkg, fetch } = request;
  const { command, env: specEnv } = buildForTarget(spec.build, layout.target);
  const toolchain = await resolveToolchain({
    target: layout.target,
    env: fetch.env,
    filesDir: layout.toolchain,
  });
  writeToolchainFiles(toolchain, layout);
  // Before the command runs: one that edits its own input must not be believed.
  const key = buildKey(pkg.layout, spec, source, request.key);
  const environment: EnvironmentRequest = {
    layout: pkg.layout,
    target: layout,
    toolchain,
    deps: request.deps,
    allDeps: request.allDeps,
    jobs: request.jobs,
    specEnv,
    caller: Deno.env.toObject(),
  };
  const rerun = rerunScript(ownVariables(environment), layout, command);
  writeFileAtomic(layout.rerun, rerun, { mode: 0o700 });
  setAside(layout);
  Deno.mkdirSync(layout.build, { recursive: true });
  try {
    const durationMs = await runTask(
      fetch.feedback,
      "build",
      spec.name,
      (progress, task) =>
        runCommand(
          request,
          spec,
          layout,
          command,
          environment,
          jobId,
          (line, stream) => {
            fetch.feedback.emit("debug", "command.output", line, {
              task,
              stream,
              line,
            });
            progress({ line });
          },
        ),
    );
    checkResult(request, spec, layout, source, key);
    const artifact = treeDigest(layout.build, BUILD_STATE);
    const info: BuildInfo = {
      name: spec.name,
      version: spec.version,
      deps: spec.deps,
      fetches: source !== undefined,
      key,
      artifact,
      compiler: toolchain.identity,
      durationMs,
    };
    writeInfo(layout.build, BUILD_INFO, info);
    await flush(layout.build);
    writeState(join(layout.build, BUILD_HASH), pkg.hash);
    removeTree(layout.aside);
    if (!request.keepWork) removeWork(layout);
    return artifact;
  } catch (error) {
    putBack(layout);
    throw error;
  }
}

function writeToolchainFiles(toolchain: Toolchain, layout: TargetLayout): void {
  removeTree(layout.toolchain);
  for (const file of toolchain.files) {
    const path = join(layout.toolchain, file.name);
    Deno.mkdirSync(dirname(path), { recursive: true });
    writeFileAtomic(path, file.content);
  }
}

async function runCommand(
  request: BuildRequest,
  spec: PackageSpec,
  layout: TargetLayout,
  command: string,
  environment: EnvironmentRequest,
  jobId: string,
  onLine: (line: string, stream: "stdout" | "stderr") => void,
): Promise<number> {
  const output = new OutputDigest();
  const encoder = new TextEncoder();
  using log = Deno.openSync(layout.log, {
    write: true,
    create: true,
    truncate: true,
  });
  const result = await runJob({
    script: command,
    cwd: layout.work,
    env: { ...buildEnvironment(environment), [JOB_ID_VARIABLE]: jobId },
    signal: request.fetch.signal,
    onStart: ({ pgid }) => writeRunning(layout, { jobId, pgid }),
    onLine: (line, stream) => {
      log.writeSync(encoder.encode(`${line}\n`));
      output.add(line);
      onLine(line, stream);
    },
  });
  if (result.code === 0) return result.durationMs;
  throw buildFailure({
    name: spec.name,
    target: layout.target,
    code: result.code,
    command,
    output,
    log: layout.log,
    rerun: layout.rerun,
  });
}

function checkResult(
  request: BuildRequest,
  spec: PackageSpec,
  layout: TargetLayout,
  source: string | undefined,
  key: BuildKey,
): void {
  if (!spec.build.empty && !hasEntries(layout.build)) {
    throw new ClibsError(
      "CLIBS_BUILD_EMPTY",
      `Cannot use the build of ${spec.name} for ${layout.target}: the command put nothing into $CLIBS_BUILD_DIR`,
      {
        facts: { CLIBS_BUILD_DIR: layout.build, log: layout.log },
        hint:
          'install there, such as with `--prefix="$CLIBS_BUILD_DIR"`, or set `build.empty: true`',
      },
    );
  }
  const { package: pkg } = request;
  const now = buildKey(pkg.layout, spec, source, request.key);
  const changed = pkg.isUnchanged()
    ? Object.keys(key).find((label) => key[label] !== now[label])
    : "pkg.yaml";
  if (changed === undefined) return;
  throw new ClibsError(
    "CLIBS_BUILD_INPUT_CHANGED",
    `Cannot use the build of ${spec.name} for ${layout.target}: ${changed} changed while it ran`,
    { hint: "run the same command again" },
  );
}

/** A power cut must not leave a state file beside files that never got to disk. */
async function flush(dir: string): Promise<void> {
  if (findProgram("sync")) {
    await runProcess({ command: "sync", args: ["-f", dir] });
  }
}
