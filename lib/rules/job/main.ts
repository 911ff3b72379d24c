/**
 * The process of a function job: `deno run … main.ts DESCRIPTION.json`.
 *
 * It adds to the start of an empty program as little as it can: no module of
 * Node's, and nothing that only a failure needs.
 */

import type { JobDescription } from "./description.ts";
import { jobSource, jobValues } from "./evaluate.ts";
import { lmake } from "./mod.ts";
import { beginRecording } from "./autodep.ts";
import { setRepoRoot } from "./root.ts";

/**
 * Runs the function of a job to its end.
 *
 * What was accessed before it reads the description counts as done by Deno: it
 * is no dep of the job.
 *
 * @param path The file with the {@linkcode JobDescription}.
 * @returns The exit code.
 */
export async function runFunctionJob(path: string): Promise<number> {
  const description: JobDescription = JSON.parse(Deno.readTextFileSync(path));
  setRepoRoot(description.root, description.topRoot);
  beginRecording();
  const source = jobSource(description);
  const fail = async (error: unknown) => {
    const { reportError } = await import("./report.ts");
    console.error(
      reportError(error, { ...description, ...source }).trimEnd(),
    );
    return 1;
  };
  // What nobody waits for may fail too, also after the function has returned.
  addEventListener("unhandledrejection", async (event) => {
    event.preventDefault();
    Deno.exit(await fail(event.reason));
  });
  addEventListener("error", async (event) => {
    event.preventDefault();
    Deno.exit(await fail(event.error ?? event.message));
  });
  try {
    const { default: cmd } = await import(source.url);
    await cmd({ ...jobValues(description), lmake });
    return 0;
  } catch (error) {
    return await fail(error);
  }
}

if (import.meta.main) {
  const code = await runFunctionJob(Deno.args[0]!);
  // On success it ends when nothing is left to do, as any program does.
  if (code !== 0) Deno.exit(code);
}
