/** Runs a package's export script. */

import { ClibsError } from "../errors.ts";
import { OutputDigest } from "../jobs/output.ts";
import { runJob } from "../jobs/run.ts";
import { resolveToolchain } from "../toolchain/toolchain.ts";
import { buildEnvironment } from "./build_env.ts";
import { consumable } from "./consume.ts";

import { targetLayout } from "./layout.ts";
import { fetchContext, type FetchOptions } from "./options.ts";
import { Package } from "./package.ts";
import { buildForTarget } from "./spec_target.ts";
import type { PackageStatus } from "./status.ts";

/**
 * The variables that a package's export script prints; none without a script.
 *
 * @param packages The package, built, and its deps.
 */
export async function exportsOf(
  status: PackageStatus,
  packages: readonly PackageStatus[],
  options: Pick<FetchOptions, "env" | "signal">,
): Promise<Record<string, string>> {
  const pkg = new Package(status.packageDir);
  const spec = await pkg.spec();
  if (spec.export === undefined) return {};
  const { env } = fetchContext(options);
  const target = targetLayout(status.packageDir, status.target);
  const deps = packages.filter((other) => status.deps.includes(other.name));
  const toolchain = await resolveToolchain({
    target: status.target,
    env,
    filesDir: target.toolchain,
  });
  const found = consumable(status.dir, status.target);
  const environment = buildEnvironment({
    layout: pkg.layout,
    target: { ...target, build: status.dir },
    toolchain,
    deps,
    allDeps: deps,
    jobs: navigator.hardwareConcurrency,
    specEnv: buildForTarget(spec.build, status.target).env,
    caller: Deno.env.toObject(),
  });
  const variables: Record<string, string> = {};
  const output = new OutputDigest();
  const bad: string[] = [];
  const { code } = await runJob({
    script: spec.export,
    cwd: status.packageDir,
    env: {
      ...environment,
      CLIBS_LIB_DIR: found.dir,
      CLIBS_INCLUDE_DIR: found.includeDir,
    },
    signal: options.signal,
    onLine: (line, stream) => {
      if (stream === "stderr") return output.add(line);
      if (line.trim() === "") return;
      const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
      if (match?.[1]) variables[match[1]] = match[2] ?? "";
      else bad.push(line);
    },
  });
  if (code === 0 && bad.length === 0) return variables;
  throw new ClibsError(
    "CLIBS_EXPORT",
    `Cannot use the export script of ${status.name}: ${
      code === 0
        ? "it printed a line that is not KEY=VALUE"
        : `it failed with exit code ${code}`
    }`,
    {
      facts: {
        ...(bad[0] === undefined ? {} : { line: bad[0] }),
        ...(output.tail.length > 0 ? { stderr: output.tail.join("\n") } : {}),
        asked: pkg.layout.file,
      },
      hint: "mend `export:` in pkg.yaml; messages belong on stderr",
    },
  );
}
