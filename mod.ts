/**
 * clibs as a library: everything that the `clibs` command does.
 *
 * Run directly, it is the command.
 *
 * @module
 */

// errors
export {
  CancelledError,
  ClibsError,
  type ClibsErrorOptions,
  type ErrorCode,
  type ErrorInfo,
  systemErrorCode,
  toClibsError,
  UsageError,
} from "./lib/errors.ts";

// explain
export type { Explanation } from "./lib/explain/codes.ts";
export { explain, explanations } from "./lib/explain/explain.ts";

// engines
export { type Origin, POLICIES, type Policy } from "./lib/artifacts/policy.ts";
export {
  buildAll,
  buildEngine,
  buildEngines,
  type Builder,
  builder,
  cleanBinaries,
  closePythonHosts,
  discoverEngines,
  fastBootBuildAll,
  healthcheck,
  listEngines,
  loadMany,
  PROBE_WORD,
  pruneCache,
  runDuties,
  runProbe,
  runScript,
  runScriptAll,
  snapshotToolchain,
  writeTypes,
} from "./lib/engines/builder.ts";
export type {
  EngineResult,
  EnginesReport,
  FastBootOptions,
  FastBootReport,
} from "./lib/engines/build.ts";
export type { CleanResult, SkippedPath } from "./lib/artifacts/clean.ts";
export type {
  CleanBinariesOptions,
  CleanBinariesReport,
  CleanMode,
  CleanProfile,
} from "./lib/engines/clean.ts";
export type { DiscoveredEngine } from "./lib/engines/discover.ts";
export type { DutyOptions, DutyReport } from "./lib/engines/duties.ts";
export {
  type Engines,
  EnginesError,
  type LoadedEngine,
  PythonError,
  type PythonFailure,
} from "./lib/engines/errors.ts";
export type { HealthCheck, HealthReport } from "./lib/engines/healthcheck.ts";
export type { EngineKind } from "./lib/engines/kind.ts";
export type { EngineList, ListedEngine } from "./lib/engines/list.ts";
export type { Attempt } from "./lib/engines/obtain.ts";
export type {
  BuildEngineOptions,
  EngineOptions,
} from "./lib/engines/options.ts";
export type { PruneOptions, PruneReport } from "./lib/engines/prune.ts";
export type {
  RunScriptOptions,
  ScriptOptions,
  ScriptReport,
  ScriptResult,
} from "./lib/engines/scripts.ts";
export type { Toolchain, ToolchainReport } from "./lib/engines/snapshot.ts";
export type {
  TypesOptions,
  TypesReport,
  WrittenTypes,
} from "./lib/engines/types.ts";

// feedback
export { feedback, FeedbackHub } from "./lib/feedback/hub.ts";
export {
  type EventCode,
  type EventFields,
  type Feedback,
  FeedbackBus,
  type FeedbackEvent,
  type Level,
  runTask,
  silent,
  type Subscriber,
  type TaskKind,
} from "./lib/feedback/bus.ts";
export { escapeControls, plainLine } from "./lib/feedback/escape.ts";
export {
  type FileSink,
  openFileSink,
  textLine,
} from "./lib/feedback/file_sink.ts";
export { jsonLine, jsonLines } from "./lib/feedback/json_lines.ts";

// packages
export {
  type BuildOptions,
  buildPackage,
  buildPackages,
  type BuildReport,
  type PackageResult,
} from "./lib/packages/build.ts";
export {
  cleanCache,
  type CleanedPath,
  type CleanOptions,
  cleanPackages,
  type CleanReport,
} from "./lib/packages/clean.ts";
export {
  type Check,
  doctor,
  type DoctorOptions,
  type DoctorReport,
} from "./lib/packages/doctor.ts";
export {
  type EnvOptions,
  packageEnv,
  packageExports,
} from "./lib/packages/env.ts";
export {
  fetchPackages,
  type FetchPackagesOptions,
  type FetchReport,
  type FetchResult,
  updatePackages,
} from "./lib/packages/fetch_all.ts";
export type { BuildSystem } from "./lib/packages/guess.ts";
export {
  type InitOptions,
  initPackage,
  type InitReport,
} from "./lib/packages/init.ts";
export {
  type ListedPackage,
  listPackages,
  type ListReport,
  loadPackage,
} from "./lib/packages/list.ts";
export type { FetchOptions } from "./lib/packages/options.ts";
export type {
  BuildSpec,
  FileSource,
  GitSource,
  PackageSpec,
  Position,
  TargetOverride,
} from "./lib/packages/spec.ts";
export {
  type PackageStatus,
  packageStatus,
  type StatusOptions,
  type StatusReport,
} from "./lib/packages/status.ts";

// names
export { nearest } from "./lib/nearest.ts";

// version
export { version } from "./lib/version.ts";

if (import.meta.main) {
  // Not awaited: cli/ imports this module and waits until it is evaluated.
  import("./cli/run.ts").then(async ({ run }) => {
    Deno.exitCode = await run(Deno.args);
  });
}

// trace
export type { AccessKind, Escape } from "./lib/trace/access.ts";
export {
  type BrokenFact,
  type CheckReport,
  checkTrace,
  perfettoTrace,
  traceCommand,
  traceMethods,
  xxhsum,
  xxhsumFile,
} from "./lib/trace/api.ts";
export type { Method, MethodState } from "./lib/trace/methods.ts";
export type { Stream, TraceOptions, TraceReport } from "./lib/trace/run.ts";
export type { SessionOptions } from "./lib/trace/session.ts";
export type { CommandFact, DepFact, Fact } from "./lib/trace/facts.ts";
export type { Trace } from "./lib/trace/trace.ts";
export type { NativeOptions } from "./lib/toolchain/native.ts";

// rules
export type { CacheMethod } from "./lib/rules/cache/config.ts";
export * as lmake from "./lib/rules/define/mod.ts";
export {
  collectFiles,
  debugJob,
  forgetJobs,
  markFiles,
  repairState,
  repairTables,
  runningJobs,
  showRules,
} from "./lib/rules/companions/api.ts";
export type {
  CollectOptions,
  CollectReport,
  DebugOptions,
  DebugReport,
  ForgetOptions,
  ForgetReport,
  JobInfo,
  JobName,
  MarkName,
  MarkOptions,
  MarkReport,
  RepairReport,
  RulesOptions,
  RunningJob,
  Shown,
  ShownDep,
  ShownStep,
  ShownTarget,
  ShowOptions,
  ShowTopic,
  TableRepair,
} from "./lib/rules/companions/types.ts";
export type { DepFlag, TargetFlag } from "./lib/rules/model.ts";
export type { JobStatus } from "./lib/rules/state/record.ts";

// rules
export {
  make,
  SERVER_WORD,
  serveRepo,
  writeFirstLmakefile,
} from "./lib/rules/api.ts";
export { drawGraph, graphOf } from "./lib/rules/graph/api.ts";
export type {
  GraphEdge,
  GraphFormat,
  GraphNode,
  GraphState,
  RulesGraph,
} from "./lib/rules/graph/types.ts";
export type { MakeProgress } from "./lib/rules/profile/progress.ts";
export type { BuildProfile, ProfiledRun } from "./lib/rules/profile/profile.ts";
export { profileReport, profileTrace } from "./lib/rules/profile/api.ts";
export type { ReportEvent as MakeEvent } from "./lib/rules/engine/report.ts";
export type {
  AskedServer,
  MadeFile,
  MakeError,
  MakeOptions,
  MakeReport,
} from "./lib/rules/make_types.ts";
