/** Reads `Lmakefile.ts` in a process of its own. */

import { join } from "node:path";
import { ClibsError } from "../../errors.ts";
import { lstatIfExists, removeFile } from "../../host/files.ts";
import type { Definition, Evaluator } from "../model.ts";
import { failureError } from "./failures.ts";
import { type DenoSetup, denoSetup, type ImportMap } from "./import_map.ts";
import { closedError, type CommandLine, ReaderProcess } from "./process.ts";

/**
 * The command line that runs a module in a process of its own.
 *
 * @param module The module, as a URL.
 * @param setup How Deno is to be set up.
 */
export type ModuleRunner = (module: string, setup: DenoSetup) => string[];

/** Options of {@linkcode loadDefinition}. */
export interface LoadOptions {
  /** Root of the repo, absolute. */
  root: string;
  /** The file, relative to the root. Default: `Lmakefile.ts`. */
  file?: string;
  /** Root of the outermost repo. Default: `root`. */
  topRoot?: string;
  /** Environment of the caller. Default: that of this process. */
  environ?: Readonly<Record<string, string>>;
  /** Puts something around the command line, such as a tracer. */
  wrap?: (
    argv: string[],
    env: Record<string, string>,
  ) => CommandLine | Promise<CommandLine>;
  /** Runs modules. Default: the Deno that runs this. */
  runner?: ModuleRunner;
  /** Gets what the user's code prints, by line. Default: nobody. */
  onOutput?: (line: string) => void;
  /** Longest that the file, or one attribute, may take. Default: 60000. */
  timeoutMs?: number;
  /** Ends the process. */
  signal?: AbortSignal;
}

/** What was read. */
export interface Loaded {
  /** Rules and settings. */
  definition: Definition;
  /** Variables of the caller's environment that were asked for; null: not set. */
  environUsed: Record<string, string | null>;
  /**
   * Absolute names of files, also absent ones, that were looked at from
   * outside the process: they are inputs which a tracer around it does not see.
   */
  lookedAt: string[];
  /** Evaluates attributes that are functions. To be closed by the caller. */
  evaluator: Evaluator;
}

/** Variables that Deno needs to find its cache, and modules. */
const KEPT_VARIABLES =
  /^(?:PATH|HOME|TMPDIR|XDG_CACHE_HOME|DENO_\w+|JSR_URL|NPM_CONFIG_REGISTRY|NODE_EXTRA_CA_CERTS|(?:https?|no|all)_proxy)$/i;

/**
 * Reads `Lmakefile.ts`.
 *
 * It runs in a clean environment, and is not type-checked: editors do that.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_…` if there is none, or it cannot be read.
 * @throws {CancelledError} If `signal` fires; the process is dead by then.
 */
export async function loadDefinition(options: LoadOptions): Promise<Loaded> {
  const { root, file = "Lmakefile.ts", timeoutMs = 60_000 } = options;
  const environ = options.environ ?? Deno.env.toObject();
  const path = join(root, file);
  if (!lstatIfExists(path)) throw missingError(root, file);
  const scope = { action: `read ${file}`, root };
  const setup = denoSetup(
    root,
    new URL("../define/mod.ts", import.meta.url).href,
  );
  const lock = setup.lockFile === undefined
    ? undefined
    : copyOf(setup.lockFile);
  const runner = options.runner ?? denoRunner;
  const argv = runner(new URL("child.ts", import.meta.url).href, {
    ...setup,
    importMap: withNotedReads(setup.importMap),
    lockFile: lock,
  });
  const env = cleanEnvironment(environ);
  const wrapped = await options.wrap?.(argv, env) ?? { argv, env };
  const child = new ReaderProcess({
    ...wrapped,
    cwd: root,
    root,
    onOutput: options.onOutput ?? (() => {}),
    signal: options.signal,
  });
  const close = async () => {
    await child.close();
    if (lock !== undefined) removeFile(lock);
  };
  try {
    const topRoot = options.topRoot ?? root;
    await child.send({ file: path, root, topRoot, environ });
    const answer = await child.receive(scope.action, timeoutMs);
    if (answer.kind === "failed") throw failureError(answer.failure, scope);
    if (answer.kind !== "defined") throw closedError(scope.action);
    const { definition, environUsed, files } = answer;
    await completeFunctions(definition, files);
    const isDynamic = definition.rules.some(({ dynamic }) =>
      dynamic.length > 0
    );
    if (!isDynamic) await close();
    const evaluator = evaluatorOf(child, { root, timeoutMs, close });
    return { definition, environUsed, lookedAt: setup.lookedAt, evaluator };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Runs a module by Deno.
 *
 * @param deno The Deno to run, with what comes before its `run`. Default: the
 *   one that runs this.
 */
export function denoRunner(
  module: string,
  setup: DenoSetup,
  deno: readonly string[] = [Deno.execPath()],
): string[] {
  const { importMap, configFile, lockFile } = setup;
  const map = encodeURIComponent(JSON.stringify(importMap));
  return [
    ...deno,
    "run",
    "--allow-all",
    "--no-prompt",
    "--quiet",
    "--no-check",
    `--import-map=data:application/json,${map}`,
    configFile === undefined ? "--no-config" : `--config=${configFile}`,
    lockFile === undefined ? "--no-lock" : `--lock=${lockFile}`,
    module,
  ];
}

/** Puts modules that note reads in the place of Node's, but for themselves. */
function withNotedReads({ imports, scopes }: ImportMap): ImportMap {
  const stand = (name: string) => new URL(name, import.meta.url).href;
  return {
    imports: {
      "node:fs": stand("node_fs.ts"),
      "node:fs/promises": stand("node_fs_promises.ts"),
      ...imports,
    },
    scopes: {
      ...scopes,
      [stand("./")]: {
        "node:fs": "node:fs",
        "node:fs/promises": "node:fs/promises",
      },
    },
  };
}

/**
 * A lock file that Deno may write to: what it holds is checked, and the
 * user's stays as it is.
 */
function copyOf(lockFile: string): string {
  const copy = Deno.makeTempFileSync({ prefix: "clibs-", suffix: ".lock" });
  Deno.copyFileSync(lockFile, copy);
  return copy;
}

function cleanEnvironment(
  environ: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(environ).filter(([name]) =>
    KEPT_VARIABLES.test(name)
  );
  return {
    ...Object.fromEntries(kept),
    NO_COLOR: "1",
    DENO_NO_UPDATE_CHECK: "1",
  };
}

function missingError(root: string, file: string): ClibsError {
  return new ClibsError(
    "CLIBS_LMAKE_MISSING",
    `Cannot read ${file}: there is none at the root of the repo`,
    { facts: { root }, hint: "run `clibs make --init` to write a first one" },
  );
}

async function completeFunctions(
  definition: Definition,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const rule of definition.rules) {
    if (rule.cmd?.kind !== "function") continue;
    const { completeFunction } = await import("./functions.ts");
    rule.cmd = await completeFunction(rule, rule.cmd, files[rule.name]!);
  }
}

/** Asks the process, one question at a time. */
function evaluatorOf(
  child: ReaderProcess,
  { root, timeoutMs, close }: {
    root: string;
    timeoutMs: number;
    close: () => Promise<void>;
  },
): Evaluator {
  let last: Promise<unknown> = Promise.resolve();
  let count = 0;
  let isClosed = false;
  const ask: Evaluator["evaluate"] = async (rule, attribute, context) => {
    const action = `find ${attribute} of the rule ${rule}`;
    if (isClosed) throw closedError(action);
    await child.send({ id: ++count, rule, attribute, context });
    const answer = await child.receive(action, timeoutMs);
    if (answer.kind === "value") {
      const { value, files, environ } = answer;
      return { value, files, environ };
    }
    if (answer.kind === "defined") throw closedError(action);
    throw failureError(answer.failure, { action, root });
  };
  return {
    evaluate(...question) {
      const answer = last.then(() => ask(...question));
      last = answer.catch(() => {});
      return answer;
    },
    async close() {
      isClosed = true;
      await last;
      await close();
    },
  };
}
