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
export { nearest } from "./lib/explain/nearest.ts";

// feedback
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

// version
export { version } from "./lib/version.ts";

if (import.meta.main) {
  // Literal and lazy: cli/ imports this module.
  const { run } = await import("./cli/run.ts");
  Deno.exitCode = await run(Deno.args);
}
