/** Random histories of repos: build, edit, break, interrupt, build again. */

import { History } from "./history.ts";
import { TABLE } from "./history_makers.ts";
import { LmakeRepo, type MakeRun } from "./lmake.ts";
import { Random } from "./seeded.ts";

/** What was done, and what was seen to be wrong. */
export interface HistoriesReport {
  histories: number;
  /** Builds of a history that were compared with the right result. */
  builds: number;
  /** Builds from nothing that were compared too. */
  cleanBuilds: number;
  /** Commands that were killed. */
  interrupts: number;
  /** Builds while which a source was edited. */
  meanwhile: number;
  /** Builds by two commands at the same time. */
  together: number;
  /** Jobs that both of them ran; each was right to have it, but needed only one. */
  twice: number;
  /** Builds of a history after edits that change no content. */
  neutral: number;
  /** Jobs that ran to an end. */
  jobs: number;
  /** Jobs whose outcome came from a result cache. */
  hits: number;
  /** Jobs among them that such builds ran, or that had read nothing new. */
  needless: number;
  /** Differences and needless runs, with what led to them. */
  faults: string[];
}

/** How histories are run. */
export interface HistoriesOptions {
  /** Edits per history. Default: 5. */
  steps?: number;
  /** Most histories in one repo. Default: 16. */
  together?: number;
  /** Repos at a time. Default: 2. */
  jobs?: number;
  /** Kills commands now and then. Default: true. */
  interrupts?: boolean;
  /** Changes the text of the rules before it is written. */
  rewrite?: (rules: string) => string;
  /** Faults after which no more repos are begun. Default: 5. */
  maxFaults?: number;
}

/**
 * Runs histories, `seed` to `seed + count - 1`.
 *
 * Several share a repo, each in a folder of its own, and so the start of each
 * command. All results are compared with what {@linkcode History} computes,
 * and once or twice per repo with a build of the same sources from nothing.
 */
export async function runHistories(
  seed: number,
  count: number,
  options: HistoriesOptions = {},
): Promise<HistoriesReport> {
  const report: HistoriesReport = {
    histories: 0,
    builds: 0,
    cleanBuilds: 0,
    interrupts: 0,
    meanwhile: 0,
    together: 0,
    twice: 0,
    neutral: 0,
    jobs: 0,
    hits: 0,
    needless: 0,
    faults: [],
  };
  const random = new Random(seed);
  const batches: number[][] = [];
  for (let at = 0; at < count;) {
    const size = Math.min(1 + random.below(options.together ?? 16), count - at);
    batches.push(Array.from({ length: size }, (_, i) => seed + at + i));
    at += size;
  }
  const work = async () => {
    for (;;) {
      if (report.faults.length >= (options.maxFaults ?? 5)) return;
      const batch = batches.shift();
      if (!batch) return;
      try {
        await new Batch(batch, options, report).run();
      } catch (error) {
        report.faults.push(`histories ${batch.join()}: ${error}`);
      }
    }
  };
  await Promise.all(Array.from({ length: options.jobs ?? 2 }, work));
  return report;
}

/** Histories that share a repo. */
class Batch {
  readonly #random: Random;
  #histories: History[] = [];
  #rules = "";
  #extra = 0;
  #lastMs = 1000;

  constructor(
    readonly seeds: number[],
    readonly options: HistoriesOptions,
    readonly report: HistoriesReport,
  ) {
    this.#random = new Random((seeds[0] ?? 0) * 31 + seeds.length);
  }

  async run(): Promise<void> {
    using repo = new LmakeRepo();
    this.#histories = this.seeds.map((seed) =>
      new History(repo, `h${seed}`, seed)
    );
    const steps = this.options.steps ?? 5;
    let right = await this.#build(repo, () => false);
    for (let step = 0; right && step < steps; step++) {
      const neutral = new Set<History>();
      for (const history of this.#histories) {
        if (history.step()) neutral.add(history);
      }
      if (this.#random.chance(0.1)) this.#extra++;
      const disturb = this.options.interrupts !== false;
      if (disturb && this.#random.chance(0.15)) {
        await this.#interrupt(repo);
        neutral.clear();
      } else if (disturb && this.#random.chance(0.1)) {
        await this.#editMeanwhile(repo);
        neutral.clear();
      }
      right = await this.#build(repo, (history) => neutral.has(history));
    }
    if (right) right = await this.#build(repo, () => true);
    if (right) await this.#compareWithClean();
    this.report.histories += this.#histories.length;
  }

  /** Builds and compares; false if something was wrong. */
  async #build(
    repo: LmakeRepo,
    isNeutral: (history: History) => boolean,
  ): Promise<boolean> {
    this.#writeRules(repo);
    const begin = Date.now();
    const make = () => repo.make(...this.#asked(), { unchecked: true });
    let run: MakeRun;
    let right = true;
    if (this.#random.chance(0.15)) {
      this.report.together++;
      const runs = await Promise.all([make(), make()]);
      right = this.#compare(repo, runs[0]);
      run = {
        ...runs[1],
        jobs: runs.flatMap(({ jobs }) => jobs),
        shown: runs.map(({ shown }) => shown).join("\n\n"),
      };
      this.#countTwice(run);
    } else run = await make();
    this.#lastMs = Date.now() - begin;
    right = this.#compare(repo, run) && right;
    this.report.jobs +=
      run.jobs.filter(({ word }) => /^(was_)?(done|steady|failed)$/.test(word))
        .length;
    this.report.hits += run.jobs.filter(({ word }) => /hit_/.test(word)).length;
    for (const history of this.#histories) {
      this.report.builds++;
      const ran = history.needless(run.jobs);
      if (isNeutral(history)) {
        this.report.neutral++;
        ran.push(
          ...run.jobs.filter(({ word, job }) =>
            word !== "dep_error" && job.startsWith(`${history.world.folder}/`)
          ).map(({ word, job }) => `${word} ${job}`),
        );
      }
      if (ran.length === 0) continue;
      this.report.needless += ran.length;
      this.#fault(history, run, `needless: ${ran.join(", ")}`);
      right = false;
    }
    return right;
  }

  /** Counts jobs that ran to an end twice, in commands at the same time. */
  #countTwice(run: MakeRun): void {
    const ended = run.jobs.filter(({ word }) =>
      /^(was_)?(done|steady|failed)$/.test(word)
    ).map(({ rule, job }) => `${rule} ${job}`);
    this.report.twice += ended.length - new Set(ended).size;
  }

  #compare(repo: LmakeRepo, run: MakeRun): boolean {
    const expected = this.#histories.every((one) => one.succeeds()) ? 0 : 1;
    let right = true;
    if (run.code !== expected) {
      const failing = this.#histories.find((one) => !one.succeeds()) ??
        this.#histories[0]!;
      this.#fault(failing, run, `exit ${run.code} instead of ${expected}`);
      right = false;
    }
    for (const history of this.#histories) {
      const differences = history.differences(repo);
      if (differences.length === 0) continue;
      this.#fault(history, run, differences.join("\n"));
      right = false;
    }
    return right;
  }

  /** Starts a build and kills it, early or late. */
  async #interrupt(repo: LmakeRepo): Promise<void> {
    this.#writeRules(repo);
    this.report.interrupts++;
    const signal = this.#random.pick(["SIGINT", "SIGKILL"] as const);
    const delayMs = this.#random.below(this.#lastMs);
    for (const history of this.#histories) {
      history.log.push(`${signal} after ${delayMs} ms`);
    }
    await repo.make(...this.#asked(), {
      unchecked: true,
      async during(child) {
        await orEnd(child, delayMs);
        try {
          child.kill(signal);
        } catch {
          // It was faster.
        }
      },
    });
    for (const history of this.#histories) history.forgetRuns();
  }

  /** Edits a source while all is built; the next build puts it right. */
  async #editMeanwhile(repo: LmakeRepo): Promise<void> {
    this.#writeRules(repo);
    this.report.meanwhile++;
    const history = this.#random.pick(this.#histories);
    const delayMs = this.#random.below(this.#lastMs);
    await repo.make(...this.#asked(), {
      unchecked: true,
      async during(child) {
        await orEnd(child, delayMs);
        history.editMeanwhile();
      },
    });
    for (const history of this.#histories) history.forgetRuns();
  }

  /** Builds the same sources from nothing. */
  async #compareWithClean(): Promise<void> {
    using clean = new LmakeRepo();
    for (const { world } of this.#histories) {
      clean.source({ [world.path(TABLE)]: "" });
      for (const [name, source] of world.sources) {
        const path = world.path(name);
        if (source.kind === "link") clean.sourceLink({ [path]: source.to });
        else clean.source({ [path]: source.text });
        if (source.kind === "text" && source.executable) {
          Deno.chmodSync(clean.path(path), 0o755);
        }
      }
    }
    clean.rules(this.#rules);
    const run = await clean.make(...this.#asked(), { unchecked: true });
    this.report.cleanBuilds++;
    // Each is compared with the right result, and so with the other.
    this.#compare(clean, run);
  }

  #writeRules(repo: LmakeRepo): void {
    const rules = this.#histories.map(({ world }) => world.rules()).join("") +
      Array.from(
        { length: this.#extra },
        (_, i) =>
          `rule({ name: "Extra${i}", target: "extra${i}", cmd: "" });\n`,
      ).join("");
    const text = this.options.rewrite?.(rules) ?? rules;
    if (text === this.#rules) return;
    repo.rules(text);
    this.#rules = text;
  }

  #asked(): string[] {
    return this.#histories.flatMap((history) => history.paths());
  }

  #fault(history: History, run: MakeRun, what: string): void {
    const { world } = history;
    const sources = [...world.sources].map(([name, source]) =>
      `${world.path(name)}: ${JSON.stringify(source)}`
    );
    this.report.faults.push([
      `history ${world.folder}, with ${this.seeds.join()}: ${what}`,
      "steps:",
      ...history.log.map((line) => `  ${line}`),
      "sources:",
      ...sources,
      "rules:",
      world.rules(),
      run.shown,
    ].join("\n"));
  }
}

/** Waits some time, or until a command has ended. */
async function orEnd(child: Deno.ChildProcess, ms: number): Promise<void> {
  let timer;
  const over = new Promise((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([over, child.status]);
  clearTimeout(timer);
}
