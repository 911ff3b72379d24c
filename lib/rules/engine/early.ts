/** What happens to a job before it can be said what it would run. */

import { settleAttributes } from "./attributes.ts";
import type { Engine } from "./engine.ts";
import type { JobRecord } from "../state/record.ts";
import type { JobState } from "./state.ts";

/** Times that attributes are worked out in one command. */
const LIMIT = 10;

/**
 * Works out the attributes of a job, and again as long as a file that their
 * functions read is not what it is to be. What is wrong is noted as its failure.
 *
 * @returns Whether the job can go on.
 */
export async function prepareAttributes(
  engine: Engine,
  state: JobState,
): Promise<boolean> {
  for (let left = LIMIT;; left--) {
    const problem = await settleAttributes(engine, state);
    const files = [...state.attributeFiles];
    const outcomes = await Promise.all(
      files.map(([file]) => engine.ensure(file, true, state)),
    );
    if (outcomes.some(({ sum }, i) => sum !== files[i]![1])) {
      if (left > 0) {
        state.forgetAttributes();
        continue;
      }
      failEarly(engine, state, "what its attributes read never stays the same");
      return false;
    }
    const causes = outcomes.flatMap(({ failure }) => failure ?? []);
    if (causes.length > 0) engine.failDeps(state, causes);
    else if (problem) failEarly(engine, state, problem);
    return causes.length === 0 && !problem;
  }
}

/** Notes that a job cannot even be started; told once as long as that is so. */
function failEarly(engine: Engine, state: JobState, problem: string): void {
  const { report, repo, options } = engine.parts;
  const { job, record } = state;
  engine.fail(state, problem);
  const isKnown = record?.status === "early_err" && record.reason === problem;
  if (isKnown && !options.rerunErrors) return;
  report.job("failed", job.rule.name, job.display, { messages: [problem] });
  state.ran = true;
  const early: JobRecord = {
    id: state.id,
    rule: job.rule.name,
    stems: job.stems,
    name: job.display,
    command: "",
    resources: "",
    status: "early_err",
    reason: problem,
    deps: [],
    targets: record?.targets ?? [],
    startedMs: Date.now(),
    durationMs: 0,
  };
  repo.store.putJob(early, {
    cmd: "",
    env: {},
    problems: [problem],
    exit: "",
    stdout: "",
    stderr: "",
    autodep: "none",
    granted: {},
    argv: [],
    stdin: "",
  });
}
