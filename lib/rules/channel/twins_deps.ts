/** Twins that tell about files: `ldepend`, `ltarget`, `lcheck_deps`, `lrun_cc`. */

import {
  checkName,
  checkRegexpr,
  dependOptions,
  fileNames,
  targetOptions,
} from "./arguments.ts";
import { DEFAULT_MARKER, markersOf } from "./cc_folders.ts";
import {
  flag,
  HELP,
  refuseRest,
  type Twin,
  type TwinResult,
  usage,
  type Values,
} from "./twin.ts";
import { TwinUsageError } from "./twin_options.ts";

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

/** These twins by name. */
export const depsTwins: Readonly<Record<string, Twin>> = {
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
      if (!checked.verbose) return { code: checked.direct && !isOk ? 1 : 0 };
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
};

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
