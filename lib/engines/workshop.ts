/** What engines are built with on this machine, found when first needed. */

import type { EngineConfig } from "./config.ts";
import { resolve } from "node:path";
import { ClibsError } from "../errors.ts";
import { splitPaths } from "../host/shell.ts";
import type { PythonInfo } from "../toolchain/python.ts";
import { type AbiKey, abiKey, libcVersion } from "./abi_key.ts";
import { type Compiler, findCompiler } from "./compiler.ts";
import type { Engine } from "./discover.ts";
import {
  buildInputs,
  type EngineFlags,
  engineFlags,
  extensionOf,
  type PackageDirs,
  portableInputs,
} from "./flags.ts";
import { nodeHeaders } from "./node_headers.ts";
import type { EngineContext } from "./options.ts";
import { pythonFor } from "./python_info.ts";

/** An engine with all that decides how it is built. */
export interface Plan {
  /** The engine. */
  engine: Engine;
  /** Its place in the cache and among the prebuilts. */
  key: AbiKey;
  /** Its Python, for pybind11. */
  python?: PythonInfo;
  /** Name of the module's file. */
  file: string;
  /** The compiler; undefined if there is none. */
  compiler?: Compiler;
  /** Its flags. */
  flags: EngineFlags;
  /** Everything but files that a build depends on; empty without a compiler. */
  inputs: Record<string, string>;
  /** The same, as far as it means the same on other machines. */
  portable: Record<string, string>;
}

/** Finds each tool once for all engines of a call. */
export class Workshop {
  readonly context: EngineContext;
  readonly #compilers = new Map<string, Promise<Compiler | undefined>>();
  readonly #pythons = new Map<string, Promise<PythonInfo>>();
  readonly #packages = new Map<string, Promise<PackageDirs>>();
  #headers: Promise<string[]> | undefined;

  constructor(context: EngineContext) {
    this.context = context;
  }

  /** Decides how an engine is built and where the result belongs. */
  async plan(engine: Engine): Promise<Plan> {
    const { config, kind } = engine;
    const [compiler, python, libc] = await Promise.all([
      this.compiler(config),
      kind === "pybind11" ? this.python(config) : undefined,
      libcVersion(),
    ]);
    const flags = await this.#flags(engine, compiler, python);
    return {
      engine,
      key: abiKey({ kind, compiler, flags: flags.compile, python, libc }),
      ...(python ? { python } : {}),
      file: engine.name + extensionOf(engine, python),
      ...(compiler ? { compiler } : {}),
      flags,
      inputs: compiler
        ? buildInputs(engine, flags, compiler, this.context.env)
        : {},
      portable: portableInputs(engine),
    };
  }

  /** The compiler of an engine; undefined if it is not here. */
  async compiler(config: EngineConfig): Promise<Compiler | undefined> {
    const { project, env } = this.context;
    const asked = config.compiler ?? this.context.compiler;
    return await once(
      this.#compilers,
      asked ?? "",
      () => findCompiler(project, asked, env),
    );
  }

  /** The Python of an engine. */
  async python(config: EngineConfig): Promise<PythonInfo> {
    const asked = config.python ?? this.context.python;
    const { project, env } = this.context;
    return await once(
      this.#pythons,
      asked ?? "",
      () => pythonFor(project, asked, env),
    );
  }

  async #flags(
    engine: Engine,
    compiler: Compiler | undefined,
    python: PythonInfo | undefined,
  ): Promise<EngineFlags> {
    const canBuild = compiler && engine.sources.length > 0;
    if (!canBuild) return { compile: [], link: [], includeDirs: [] };
    return engineFlags(engine, {
      compiler,
      python,
      nodeHeaders: engine.kind === "napi"
        ? await (this.#headers ??= nodeHeaders(this.context.userCache))
        : [],
      packages: await this.#packageDirs(engine),
    });
  }

  async #packageDirs(engine: Engine): Promise<PackageDirs> {
    const { config, project } = engine;
    const paths = (config.packages ?? []).map((path) =>
      resolve(project.sourceDir, path)
    );
    if (paths.length === 0) return { include: [], lib: [] };
    return await once(this.#packages, paths.join("\0"), async () => {
      const { packageEnv } = await import("../packages/env.ts");
      // The caller's own search paths are not the packages'.
      const hidden = new Set(["CPATH", "LIBRARY_PATH"]);
      const { env } = this.context;
      const variables = await packageEnv(paths, {
        env: (name) => hidden.has(name) ? undefined : env(name),
      });
      return {
        include: splitPaths(variables.CPATH),
        lib: splitPaths(variables.LIBRARY_PATH),
      };
    });
  }
}

/** The compiler of a plan. */
export function compilerOf(plan: Plan): Compiler {
  if (plan.compiler) return plan.compiler;
  throw new ClibsError(
    "CLIBS_ENGINE_COMPILER",
    `Cannot build ${plan.engine.name}: there is no C++ compiler`,
    { hint: "install g++, or name one with --compiler (compiler) or $CXX" },
  );
}

async function once<T>(
  known: Map<string, Promise<T>>,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const present = known.get(key) ?? make();
  known.set(key, present);
  return await present;
}
