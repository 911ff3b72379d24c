/** Runs the real command. */

import { fileURLToPath } from "node:url";

/** How a run of the command ended. */
export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Options of {@linkcode clibs}. */
export interface CliOptions {
  /** Folder to run in. Default: the caller's. */
  cwd?: string;
  /** Variables added to the environment. */
  env?: Record<string, string>;
  /** Program to run instead of main.ts. */
  main?: string;
  /** Words before the command line. Default: none. */
  prefix?: readonly string[];
}

/** Arguments for Deno that run the command, before its own. */
export function cliArgs(main: string = MAIN): string[] {
  return ["run", "--quiet", "--no-check", "-A", main];
}

/** The variables of the caller's that would change what the command prints. */
export const NEUTRAL: Record<string, string> = {
  NO_COLOR: "",
  FORCE_COLOR: "",
  CI: "",
  TERM: "xterm-256color",
};

/** Runs `clibs` to its end. */
export async function clibs(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const [program = "", ...rest] = [
    ...options.prefix ?? [],
    Deno.execPath(),
    ...cliArgs(options.main),
    ...args,
  ];
  const output = await new Deno.Command(program, {
    args: rest,
    cwd: options.cwd,
    env: { ...NEUTRAL, ...options.env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
