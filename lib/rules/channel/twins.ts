/**
 * What the twins of the job module do: `ldepend`, `ltarget`, `lcheck_deps`,
 * `lencode`, `ldecode`, `lrun_cc`, `xxhsum`. The programs themselves only
 * carry arguments and answers, see `lib/rules/native/launch.c`.
 */

import { ClibsError } from "../../errors.ts";
import type { JobServices } from "../services.ts";
import {
  checkName,
  checkRegexpr,
  dependOptions,
  fileNames,
  targetOptions,
} from "./arguments.ts";
import { DEFAULT_MARKER, markersOf } from "./cc_folders.ts";
import { checkMinLength, dependResult } from "./requests.ts";
import {
  parseTwinArguments,
  type TwinOption,
  twinUsage,
  TwinUsageError,
} from "./twin_options.ts";

/** A call of a twin. */
export interface TwinRequest {
  /** Name of the program. */
  program: string;
  /** Its arguments. */
  args: string[];
  /** Its current folder, absolute. */
  cwd: string;
  /** What it read on stdin, if it is one that reads it. */
  stdin: Uint8Array;
}

/** What the program is to print and return. */
export interface TwinResult {
  /** Exit code. */
  code: number;
  /** For its stdout. */
  stdout: string;
  /** For its stderr. */
  stderr: string;
  /** Command that it becomes, the last ones of its arguments. */
  run?: string[];
}

/** Exit code if the command line is wrong. */
const USAGE = 11;

type Values = Record<string, string | true>;

interface Twin {
  /** What follows the options. */
  rest: string;
  options: TwinOption[];
  stopsAtFirst?: boolean;
  run(
    services: JobServices,
    call: TwinRequest & { options: Values; rest: string[] },
  ): Promise<Partial<TwinResult>>;
}

const flag = (
  letters: string,
  name: string,
  long: string,
  help: string,
): TwinOption => ({ letters, name, long: [long], help });

const HELP = flag("h", "help", "help", "show this");

/** Options that `ldepend` and `ltarget` share; names are those of the calls. */
const SHARED = [
  flag("L", "followSymlinks", "follow-symlinks", "follow links"),
  flag("c", "critical", "critical", "later deps hang on it"),
  flag("E", "essential", "essential", "show in graphs"),
  flag("e", "ignoreError", "ignore-error", "its errors do not count"),
  flag("r", "notRequired", "no-required", "it need not be buildable"),
  flag("I", "ignore", "ignore", "accesses from now on do not count"),
  flag("D", "readdirOk", "readdir-ok", "it may be listed"),
  {
    letters: "X",
    name: "regexpr",
    long: ["regexpr"],
    value: "RE",
    isValueOptional: true,
    help: "names are regular expressions",
  },
  {
    letters: "x",
    name: "star",
    long: ["no-no-star", "star", "no-star"],
    help: "flags by regular expression apply too",
  },
  flag("l", "list", "list", "list them instead: -l [-z DIR] [-X RE]"),
  {
    letters: "z",
    name: "dir",
    long: ["dir"],
    value: "DIR",
    help: "with -l: only those below it",
  },
  HELP,
];

const CODEC = [
  {
    letters: "ft",
    name: "table",
    long: ["table", "file"],
    value: "TABLE",
    help: "the table",
  },
  {
    letters: "x",
    name: "context",
    long: ["context", "ctx"],
    value: "CTX",
    help: "the context in it",
  },
];

const twins: Readonly<Record<string, Twin>> = {
  ldepend: {
    rest: "[FILE…]",
    options: [
      flag("R", "read", "read", "count as read now"),
      flag("d", "direct", "direct", "build them first"),
      flag("v", "verbose", "verbose", "print status, checksum and name"),
      ...SHARED,
    ],
    async run(services, { cwd, options, rest }) {
      if (options.list) {
        return await list(
          options,
          rest,
          (dir, regexpr) => services.listDeps(cwd, dir, regexpr),
        );
      }
      const checked = usage(() => dependOptions(callOptions(options)));
      const files = usage(() => fileNames("depend", rest, checked.regexpr));
      if (files.length === 0) return {};
      const states = await services.depend(cwd, files, checked);
      const isOk = options.ignoreError === true ||
        states.every(({ ok }) => ok !== false);
      if (!checked.verbose) {
        return {
          code: dependResult(files, checked, states) === false && !isOk ? 1 : 0,
        };
      }
      const lines = files.map((file, i) => {
        const { ok, checksum } = states[i] ?? {};
        const status = ok === undefined ? "-" : ok ? "ok" : "error";
        return `${status} ${checksum ?? "-"} ${file}\n`;
      });
      return { code: isOk ? 0 : 1, stdout: lines.join("") };
    },
  },
  ltarget: {
    rest: "[FILE…]",
    options: [
      flag("W", "write", "write", "count as written now"),
      flag("i", "incremental", "incremental", "keep it before a run"),
      flag("w", "noWarning", "no-warning", "no warning if it is unlinked"),
      flag("a", "notAllowed", "no-allow", "only add flags, do not allow it"),
      flag("s", "sourceOk", "source-ok", "it may be a source"),
      ...SHARED,
    ],
    async run(services, { cwd, options, rest }) {
      if (options.list) {
        return await list(
          options,
          rest,
          (dir, regexpr) => services.listTargets(cwd, dir, regexpr),
        );
      }
      const checked = usage(() => targetOptions(callOptions(options)));
      const files = usage(() => fileNames("target", rest, checked.regexpr));
      if (files.length > 0) await services.target(cwd, files, checked);
      return {};
    },
  },
  lcheck_deps: {
    rest: "",
    options: [
      {
        letters: "d",
        name: "delay",
        long: ["delay"],
        value: "SECONDS",
        help: "wait before the check",
      },
      flag("s", "sync", "sync", "wait for its result"),
      HELP,
    ],
    async run(services, { options, rest }) {
      refuseRest(rest);
      const delay = options.delay === undefined ? 0 : Number(options.delay);
      if (options.delay === "" || !(delay >= 0) || delay === Infinity) {
        throw new TwinUsageError("-d needs a number of seconds");
      }
      const sync = options.sync === true;
      const isOk = await services.checkDeps(delay, sync);
      return { code: sync && !isOk ? 1 : 0 };
    },
  },
  lencode: {
    rest: "<VALUE",
    options: [
      ...CODEC,
      {
        letters: "l",
        name: "minLength",
        long: ["min-length", "min-len"],
        value: "N",
        help: "digits that a new code has at least",
      },
      HELP,
    ],
    async run(services, { cwd, options, rest, stdin }) {
      refuseRest(rest);
      const [table, context] = tableOf(options);
      const length = options.minLength;
      const minLength = usage(() =>
        checkMinLength(
          length === undefined ? 1 : length === "" ? 0 : Number(length),
        )
      );
      const code = await services.encode(
        cwd,
        table,
        context,
        exactText(stdin),
        minLength,
      );
      return { stdout: `${code}\n` };
    },
  },
  ldecode: {
    rest: "",
    options: [
      ...CODEC,
      {
        letters: "c",
        name: "code",
        long: ["code"],
        value: "CODE",
        help: "the code",
      },
      HELP,
    ],
    async run(services, { cwd, options, rest }) {
      refuseRest(rest);
      const [table, context] = tableOf(options);
      const { code } = options;
      if (typeof code !== "string") throw new TwinUsageError("-c is missing");
      return { stdout: await services.decode(cwd, table, context, code) };
    },
  },
  lrun_cc: {
    rest: "COMMAND [ARGUMENT…]",
    stopsAtFirst: true,
    options: [
      {
        letters: "m",
        name: "marker",
        long: ["marker"],
        value: "NAME",
        help: `file that stands for a folder. Default: ${DEFAULT_MARKER}`,
      },
      HELP,
    ],
    async run(services, { cwd, options, rest }) {
      if (rest.length === 0) throw new TwinUsageError("there is no command");
      const { marker = DEFAULT_MARKER } = options;
      if (marker === "") throw new TwinUsageError("-m needs a name");
      const markers = markersOf(rest, String(marker));
      if (markers.length > 0) {
        await services.depend(
          cwd,
          markers,
          dependOptions({ read: true, required: false }),
        );
      }
      if (await services.checkDeps(0, true)) return { run: rest };
      return { code: 1, stderr: "lrun_cc: a dep of this job is in error\n" };
    },
  },
  xxhsum: {
    rest: "[FILE…]",
    options: [HELP],
    async run(services, { cwd, rest, stdin }) {
      if (rest.length === 0) {
        return { stdout: `${await services.xxhsum(stdin)}\n` };
      }
      const files = usage(() => fileNames("xxhsum", rest));
      const sums = await Promise.all(
        files.map((file) => services.xxhsumFile(cwd, file)),
      );
      if (files.length === 1) return { stdout: `${sums[0]}\n` };
      const lines = files.map((file, i) => `${sums[i]} ${file}\n`);
      return { stdout: lines.join("") };
    },
  },
};

/** Names of the twins. */
export const TWINS: readonly string[] = Object.keys(twins);

/**
 * Does what a twin was called for.
 *
 * @returns What it is to print and return; failures are among that.
 */
export async function runTwin(
  services: JobServices,
  request: TwinRequest,
): Promise<TwinResult> {
  const { program } = request;
  const twin = Object.hasOwn(twins, program) ? twins[program] : undefined;
  if (!twin) {
    return failed(USAGE, `${program}: the runner knows no such program`);
  }
  const help = () => twinUsage(program, twin.rest, twin.options);
  try {
    const parsed = parseTwinArguments(
      twin.options,
      request.args,
      twin.stopsAtFirst,
    );
    if (parsed.options.help) return { code: 0, stdout: help(), stderr: "" };
    return {
      code: 0,
      stdout: "",
      stderr: "",
      ...await twin.run(services, { ...request, ...parsed }),
    };
  } catch (error) {
    if (error instanceof TwinUsageError) {
      return failed(USAGE, `${program}: ${error.message}\n${help().trimEnd()}`);
    }
    if (!(error instanceof ClibsError)) {
      return failed(2, `${program}: ${(error as Error)?.message ?? error}`);
    }
    const hint = error.hint === undefined ? "" : `\nhint: ${error.hint}`;
    return failed(1, `${program}: ${error.message}${hint}`);
  }
}

function failed(code: number, text: string): TwinResult {
  return { code, stdout: "", stderr: `${text}\n` };
}

/** Options of `depend` and `target` from those of their twins. */
function callOptions(values: Values): Record<string, boolean> {
  const { notRequired, notAllowed, star, regexpr, dir, ...same } = values;
  if (dir !== undefined) throw new TwinUsageError("-z needs -l");
  if (typeof regexpr === "string") {
    throw new TwinUsageError("--regexpr with a value needs --list");
  }
  const options: Record<string, boolean> = {};
  for (const name of Object.keys(same)) options[name] = true;
  if (regexpr) options.regexpr = true;
  if (notRequired) options.required = false;
  if (notAllowed) options.allow = false;
  if (star) options.noStar = false;
  return options;
}

async function list(
  { regexpr, dir, list: _list, ...others }: Values,
  rest: string[],
  call: (dir?: string, regexpr?: string) => Promise<string[]>,
): Promise<Partial<TwinResult>> {
  if (Object.keys(others).length > 0) {
    throw new TwinUsageError("-l only goes with -z and -X");
  }
  const patterns = typeof regexpr === "string" ? [regexpr, ...rest] : rest;
  if (patterns.length !== (regexpr === undefined ? 0 : 1)) {
    throw new TwinUsageError(
      regexpr === undefined
        ? "-l takes no names; -X RE selects some"
        : "-X needs one regular expression",
    );
  }
  if (dir !== undefined) usage(() => checkName("list", dir));
  if (patterns[0] !== undefined) {
    usage(() => checkRegexpr("list", patterns[0]));
  }
  const names = await call(dir as string | undefined, patterns[0]);
  return { stdout: names.map((name) => `${name}\n`).join("") };
}

function tableOf({ table, context }: Values): [string, string] {
  if (typeof table !== "string") throw new TwinUsageError("-f is missing");
  if (typeof context !== "string") throw new TwinUsageError("-x is missing");
  usage(() => checkName("table", table));
  return [table, context];
}

function refuseRest(rest: readonly string[]): void {
  if (rest.length > 0) {
    throw new TwinUsageError(`nothing may follow the options: ${rest[0]}`);
  }
}

/** Has mistakes that the calls find count as ones of the command line. */
function usage<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ClibsError)) throw error;
    throw new TwinUsageError(error.message.replace(/^Cannot call \w+: /, ""));
  }
}

function exactText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch {
    throw new ClibsError(
      "CLIBS_JOB_ARGUMENT",
      "Cannot encode the value: it is not UTF-8",
      { hint: "encode it as text first, with base64 say" },
    );
  }
}
