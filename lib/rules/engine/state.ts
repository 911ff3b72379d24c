/** Jobs and files as one command of `clibs make` sees them. */

import type { Attributes, DepFlag, DepSpec, TargetFlag } from "../model.ts";
import type { Job } from "../select.ts";
import type { JobRecord } from "../state/record.ts";
import type { Store } from "../state/store.ts";

/** Why a file cannot be had; causes form a tree. */
export interface Failure {
  /** File that was wanted. */
  file: string;
  /** What is wrong, in a few words. */
  text: string;
  /** The rule and job, if one is at fault. */
  rule?: string;
  /** The job, as lines show it. */
  job?: string;
  /** Its store id, by which its output is found. */
  id?: string;
  /** Lines of its standard error that are shown. */
  maxStderrLen?: number;
  /** One next step. */
  hint?: string;
  /** What the job wanted and could not have. */
  causes: Failure[];
}

/** What became of a file. */
export interface Outcome {
  /** Its name. */
  file: string;
  /** Checksum; `none` if it is not there. */
  sum: string;
  /** Whether it is a source, or a job makes it. */
  buildable: boolean;
  /** Whether it is a source. */
  source?: boolean;
  /** Whether it was found up to date at once. */
  upToDate?: boolean;
  /** Why it cannot be had. */
  failure?: Failure;
  /** The job that makes it. */
  job?: JobState;
  /** Why rules that nearly make it do not. */
  near?: readonly string[];
  /** The folder above it that is a file, or a link that leads elsewhere. */
  uphill?: string;
}

const NOTHING: ReadonlyMap<string, Outcome> = new Map();

/** A job in this command. */
export class JobState {
  /** Its rule, stems and names. */
  readonly job: Job;
  /** Name in the store. */
  readonly id: string;
  readonly #store: Pick<Store, "job">;
  /** Its attributes, once they were worked out. */
  attributes: Attributes | undefined;
  /** Its static deps, once they were worked out. */
  statics: DepSpec[] = [];
  /** Files that functions of attributes read, with their checksums then. */
  readonly attributeFiles = new Map<string, string>();
  /** What is wrong with its attributes. */
  problem: string | undefined;
  /** Digest of its command as it is now. */
  command = "";
  /** Digest of its resources as they are now. */
  resources = "";
  /** How many of its deps nobody has asked for yet. */
  unasked = 0;
  /** Whether it ran in this command, and its last run stands. */
  ran = false;
  /** What its deps were when its last run in this command began. */
  present: ReadonlyMap<string, Outcome> = NOTHING;
  /** Times that it was started in this command. */
  submits = 0;
  /** Times that it was lost, or failed and tried again. */
  lost = 0;
  /** Times that it may yet be tried again after a failure. */
  retries = 0;
  /** Why it is in error. */
  failure: Failure | undefined;
  /** Whether a static dep turned out not to exist, so that it cannot apply. */
  isMissingStatic = false;
  /**
   * Milliseconds that the longest chain of jobs took that waits for it, as far
   * as it was known when they asked for it.
   */
  tailMs = 0;
  /** The job that wanted it first; undefined if the user did. */
  wantedBy: JobState | undefined;
  /** Settled once it is known what it makes. */
  known: Promise<void> | undefined;
  /** Whether `known` is settled. */
  settled = false;
  /** Resolved once it is clear that something has to run first. */
  delayed: PromiseWithResolvers<undefined> = Promise.withResolvers();
  /** Whether `delayed` is resolved. */
  isDelayed = false;
  /** Settled once whoever works on it is done. */
  busy: Promise<void> = Promise.resolve();

  /** Starts from its last run. */
  constructor(job: Job, id: string, store: Pick<Store, "job">) {
    this.job = job;
    this.id = id;
    this.#store = store;
  }

  /** Its last run, whichever command it was in. */
  get record(): JobRecord | undefined {
    return this.#store.job(this.id);
  }

  /** Takes note that it is known what it makes. */
  settle(): void {
    this.settled = true;
    // Nobody asks for that any more, and there may be many jobs.
    this.present = NOTHING;
  }

  /** Takes note of a job that waits for it. */
  wantBy(other: JobState): void {
    const tookMs = other.record?.durationMs ?? 0;
    this.tailMs = Math.max(this.tailMs, other.tailMs + tookMs);
  }

  /** What it makes of a file. */
  outcomeOf(file: string): Outcome {
    const target = this.record?.targets.find((one) => one.file === file);
    return {
      file,
      sum: target?.sum ?? "none",
      buildable: true,
      job: this,
      ...(this.failure ? { failure: this.failure } : {}),
    };
  }

  /** Has attributes worked out anew: a file that their functions read changed. */
  forgetAttributes(): void {
    this.attributes = undefined;
    this.problem = undefined;
    this.attributeFiles.clear();
  }

  /** Rule and job as messages name it. */
  get title(): string {
    return `${this.job.rule.name} ${this.job.display}`;
  }

  /** Flags of a static target; undefined if a file is none. */
  officialFlags(
    file: string,
  ): { key: string; flags: TargetFlag[] } | undefined {
    for (const target of this.job.targets) {
      if (
        target.file === undefined
          ? target.files!.match(file)
          : target.file === file
      ) {
        return { key: target.key, flags: target.flags };
      }
    }
    return undefined;
  }

  /** Flags that the rule gives to a dep by its name. */
  depFlags(file: string): DepFlag[] {
    return this.job.sideDeps
      .filter(({ files }) => files.match(file) !== undefined)
      .flatMap(({ flags }) => flags);
  }

  /** Flags that the rule gives to what is written besides; undefined if none match. */
  sideFlags(file: string): (TargetFlag | DepFlag)[] | undefined {
    const found = this.job.sideTargets.filter(({ files }) =>
      files.match(file) !== undefined
    );
    return found.length === 0 ? undefined : found.flatMap(({ flags }) => flags);
  }
}

/** Why a job's files cannot be had. */
export function jobFailure(state: JobState, text: string): Failure {
  return {
    file: state.job.display,
    text,
    rule: state.job.rule.name,
    job: state.job.display,
    id: state.id,
    ...(state.attributes
      ? { maxStderrLen: state.attributes.maxStderrLen }
      : {}),
    causes: [],
  };
}

/** What attributes are if a rule does not say so. */
export const DEFAULTS: Attributes = {
  environ: {},
  environResources: {},
  environAncillary: {},
  resources: { cpu: 1 },
  shell: ["/bin/bash"],
  interpreter: [],
  autodep: "auto",
  backend: "local",
  cache: "",
  compression: 0,
  timeout: 0,
  force: false,
  keepTmp: false,
  killSigs: [9],
  killDaemons: true,
  maxSubmits: 10,
  maxRuns: 0,
  maxRetriesOnLost: 1,
  maxStderrLen: 100,
  startDelay: 3,
  stderrOk: false,
  readdirOk: false,
  autoMkdir: false,
  checkAbsPaths: false,
  useScript: false,
  retriedErrors: [],
};
