/** Exit codes of the commands about rules; the others have 0, 1, 2 and 130. */

import type { ClibsError, ErrorCode } from "../mod.ts";

/** Codes of failures that are told from a plain "not made", which is 1. */
const CODES: readonly (readonly [exit: number, codes: readonly ErrorCode[]])[] =
  [
    [2, ["CLIBS_BUG"]],
    // The rules cannot be read.
    [3, [
      "CLIBS_LMAKE_CACHE",
      "CLIBS_LMAKE_CONFIG",
      "CLIBS_LMAKE_DYNAMIC",
      "CLIBS_LMAKE_ENVIRON",
      "CLIBS_LMAKE_EXIT",
      "CLIBS_LMAKE_FUNCTION",
      "CLIBS_LMAKE_IMPORT",
      "CLIBS_LMAKE_IMPORT_MAP",
      "CLIBS_LMAKE_MISSING",
      "CLIBS_LMAKE_NAME",
      "CLIBS_LMAKE_PATTERN",
      "CLIBS_LMAKE_PROCESS",
      "CLIBS_LMAKE_RESOURCE",
      "CLIBS_LMAKE_RULE",
      "CLIBS_LMAKE_STEM",
      "CLIBS_LMAKE_SYNTAX",
      "CLIBS_LMAKE_TEMPLATE",
      "CLIBS_LMAKE_THROWN",
      "CLIBS_LMAKE_TIMEOUT",
    ]],
    [4, ["CLIBS_LMAKE_SERVER"]],
    // There is no repo, or it is not in order.
    [5, ["CLIBS_LMAKE_REPO", "CLIBS_LMAKE_SOURCES"]],
    [7, ["CLIBS_PERMISSION", "CLIBS_READ_ONLY"]],
    // Another command must not run meanwhile.
    [9, ["CLIBS_LMAKE_BUSY"]],
    [10, ["CLIBS_DISK_FULL", "CLIBS_TOO_MANY_FILES", "CLIBS_TOOL_MISSING"]],
    [12, ["CLIBS_LMAKE_VERSION"]],
  ];

/** The command line was wrong. */
export const LMAKE_USAGE = 11;

/** Exit code of a command about rules that failed. */
export function lmakeExitCode(error: ClibsError): number {
  // Loaded twice, as a test may do, the class is not the same.
  if (error.name === "UsageError") return LMAKE_USAGE;
  for (const [exit, codes] of CODES) {
    if (codes.includes(error.code)) return exit;
  }
  return /^CLIBS_(NATIVE|TRACE)_/.test(error.code) ? 10 : 1;
}
