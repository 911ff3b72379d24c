/** `lmake.config`: settings of a repo. */

import type { Config, SlurmSettings } from "../model.ts";
import {
  amount,
  BadValue,
  type Check,
  flag,
  isPlainObject,
  list,
  number,
  oneOf,
  plainObject,
  refuseUnknownKeys,
  someText,
  table,
  whole,
  within,
} from "./check.ts";

/** What a backend shares out: an amount of each resource. */
export type PoolInput = Record<string, number | string>;

/** What `lmake.config` may be set to; all of it may be left out. */
export interface ConfigInput {
  /** Pools of each backend: `cpu`, `mem` and `tmp` in MB or as `4G`, any counter. */
  backends?: { local?: PoolInput; slurm?: PoolInput };
  /** How jobs are given to Slurm. */
  slurm?: SlurmSettings;
  /** Sources by name; a last slash makes a source dir. Default: `Manifest`, or git. */
  sources?: string[];
  /** File that lists the sources. Default: `Manifest`. */
  manifest?: string;
  /** Folders that are repos of their own. */
  subRepos?: string[];
  /** Longest name of a file. Default: 200. */
  pathMax?: number;
  /** Deepest chain of static deps. Default: 100. */
  maxDepDepth?: number;
  /** What becomes of reads outside the repo. Default: `package`. */
  systemDeps?: "ignore" | "package" | "file";
  /** Milliseconds within which two dates may be the same. Default: 10. */
  diskDatePrecision?: number;
  /** Whether the server watches the repo's files instead of looking at each. Default: false. */
  watch?: boolean;
  /** Lines in the tree of errors. Default: 100. */
  maxErrorLines?: number;
  /** What lines show. */
  console?: {
    /** Whether lines begin with the time of day. Default: true. */
    date?: boolean;
    /** Whether lines tell how long a job took. Default: true. */
    time?: boolean;
    /** Whether the host of a job is shown. Default: false. */
    host?: boolean;
  };
  /** Result caches by name. */
  caches?: Record<string, { dir: string; size?: string }>;
}

/** `lmake.config` as it is read: its tables are there to be added to. */
export type ConfigValue =
  & Omit<ConfigInput, "backends" | "slurm" | "console" | "caches">
  & {
    backends: { local: PoolInput; slurm?: PoolInput };
    slurm: SlurmSettings;
    console: NonNullable<ConfigInput["console"]>;
    caches: NonNullable<ConfigInput["caches"]>;
  };

/** Default settings; those of which it depends are absent. */
export function defaultConfig(): Config {
  return {
    backends: { local: {} },
    slurm: {},
    subRepos: [],
    pathMax: 200,
    maxDepDepth: 100,
    systemDeps: "package",
    diskDatePrecision: 10,
    watch: false,
    maxErrorLines: 100,
    console: { date: true, time: true, host: false },
    caches: {},
  };
}

/** What `lmake.config` is before anybody sets it. */
export function emptyConfig(): Record<string, unknown> {
  return { backends: { local: {} }, slurm: {}, console: {}, caches: {} };
}

const names = list(someText);

const SLURM: {
  [Key in keyof Required<SlurmSettings>]: Check<Required<SlurmSettings>[Key]>;
} = {
  args: list(someText),
  address: someText,
  interval: number(0.1),
  jobs: whole(1),
  patience: number(0),
};

const CONSOLE: { [Key in keyof Config["console"]]: Check<boolean> } = {
  date: flag,
  time: flag,
  host: flag,
};

const CHECKS: {
  [Key in keyof Required<Config>]: Check<Required<Config>[Key]>;
} = {
  backends(value) {
    const backends = plainObject(value);
    refuseUnknownKeys(backends, ["local", "slurm"], "backend");
    return table(table(amount))(backends);
  },
  slurm(value) {
    const given = plainObject(value);
    refuseUnknownKeys(given, Object.keys(SLURM), "setting");
    return Object.fromEntries(
      Object.entries(SLURM).flatMap(([key, check]) =>
        given[key] === undefined
          ? []
          : [[key, within(`.${key}`, () => check(given[key]))]]
      ),
    );
  },
  sources: names,
  manifest: someText,
  subRepos: names,
  pathMax: whole(1),
  maxDepDepth: whole(1),
  systemDeps: oneOf(["ignore", "package", "file"]),
  diskDatePrecision: number(0),
  watch: flag,
  maxErrorLines: whole(0),
  console(value) {
    const given = plainObject(value);
    refuseUnknownKeys(given, Object.keys(CONSOLE), "setting");
    return { ...defaultConfig().console, ...table(flag)(given) };
  },
  caches: table((value) => {
    const cache = plainObject(value);
    refuseUnknownKeys(cache, ["dir", "size"], "setting");
    const dir = within(".dir", () => someText(cache.dir));
    if (cache.size === undefined) return { dir };
    return { dir, size: within(".size", () => someText(cache.size)) };
  }),
};

/**
 * Checks what `lmake.config` was set to, and fills in the defaults.
 *
 * @throws {BadValue} Naming what is wrong.
 */
export function readConfig(value: unknown): Config {
  const given = plainObject(value);
  refuseUnknownKeys(given, Object.keys(CHECKS), "setting");
  if (given.sources !== undefined && given.manifest !== undefined) {
    throw new BadValue(
      "has both sources and manifest",
      "name the sources in one of them",
    );
  }
  const config = defaultConfig();
  for (const [key, check] of Object.entries(CHECKS)) {
    if (given[key] === undefined) continue;
    const checked = within(`.${key}`, () => check(given[key]));
    Object.assign(config, { [key]: checked });
  }
  return config;
}

/** A copy of settings to which tables that are missing are added. */
export function withTables(value: unknown): Record<string, unknown> {
  // What is no object is refused when the whole has been read.
  if (!isPlainObject(value)) return { value };
  const empty = emptyConfig();
  const backends = value.backends;
  return {
    ...empty,
    ...value,
    ...(isPlainObject(backends)
      ? { backends: { local: {}, ...backends } }
      : {}),
  };
}
