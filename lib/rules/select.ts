/**
 * Which rules may make a file, and what their jobs are. Only names count here:
 * nothing is looked up on disk.
 */

import type {
  Definition,
  DepFlag,
  DepSpec,
  RuleSpec,
  TargetFlag,
  TargetSpec,
} from "./model.ts";
import { type BoundPattern, compilePattern, type Pattern } from "./pattern.ts";
import { expandTemplate, type TemplateValue } from "./pattern_template.ts";
import { PatternIndex } from "./pattern_index.ts";
import { nameInside, nameOutside, patternOutside } from "./sub_repo.ts";

/** A rule that may make a file, and which of its jobs. */
export interface Candidate {
  /** The rule. */
  rule: RuleSpec;
  /** Values of the static stems, which identify the job within the rule. */
  stems: Record<string, string>;
  /** The target that matches. */
  target: TargetSpec<TargetFlag>;
  /** Whether the target has star stems, so that only a run tells. */
  star: boolean;
  /** Whether the job makes the file for sure if it succeeds: no star, not `optional`. */
  sure: boolean;
}

/** A target of a job. */
export interface JobTarget {
  /** Name by which the command knows it. */
  key: string;
  /** Flags that are on. */
  flags: TargetFlag[];
  /** Name of the file; absent if there are star stems. */
  file?: string;
  /** The files, if there are star stems. */
  files?: BoundPattern;
}

/** A pattern of a job that gives flags. */
export interface JobPattern<Flag extends string> {
  /** Name of the pattern in the rule. */
  key: string;
  /** Flags that are on. */
  flags: Flag[];
  /** The files. */
  files: BoundPattern;
}

/** A rule with values for its static stems. */
export interface Job {
  /** Unique among all jobs: the rule's name and the stems. */
  key: string;
  /** What messages call it. */
  display: string;
  /** The rule. */
  rule: RuleSpec;
  /** Values of the static stems. */
  stems: Record<string, string>;
  /** Its targets, in the order of the rule. */
  targets: JobTarget[];
  /** Patterns that give flags to what it writes besides. */
  sideTargets: JobPattern<TargetFlag | DepFlag>[];
  /** Static deps with names for patterns; `"dynamic"` if a function gives them. */
  deps: DepSpec[] | "dynamic";
  /** Patterns that give flags to what it is found to read. */
  sideDeps: JobPattern<DepFlag>[];
  /** Stems and targets by name, for templates and functions. */
  values: Record<string, TemplateValue>;
}

/** A rule with its patterns compiled. */
interface Compiled {
  rule: RuleSpec;
  /** Static patterns in order, then those with star stems. */
  targets: { spec: TargetSpec<TargetFlag>; pattern: Pattern }[];
  sideTargets: Pattern[];
  sideDeps: Pattern[];
}

/** The rules of a repo, for questions by name. */
export class RuleTable {
  readonly #rules = new Map<string, Compiled>();
  readonly #index = new PatternIndex<[rule: Compiled, target: number]>();
  /** Rank of each rule: those of one rank are asked together. */
  readonly #ranks = new Map<Compiled, number>();

  /**
   * Prepares the rules.
   *
   * @throws {ClibsError} `CLIBS_LMAKE_PATTERN` if a pattern is malformed, which
   *   those of a definition that was read are not.
   */
  constructor(definition: Pick<Definition, "rules">) {
    const ordered = [...definition.rules].sort(byRank).map(compile);
    let rank = 0;
    ordered.forEach((compiled, position) => {
      const before = ordered[position - 1];
      if (before && byRank(before.rule, compiled.rule) !== 0) rank++;
      this.#ranks.set(compiled, rank);
      this.#rules.set(compiled.rule.name, compiled);
      compiled.targets.forEach(({ pattern }, target) =>
        this.#index.add(pattern, [compiled, target])
      );
    });
  }

  /**
   * The rules that may make a file, by groups that are tried one after
   * another: anti and source rules first, then plain ones by priority. Within
   * a group they are in the order of definition.
   *
   * Only the first target of a rule that matches counts, static ones before
   * those with star stems.
   */
  candidates(file: string): Candidate[][] {
    const groups: Candidate[][] = [];
    let rank = -1;
    let last: Compiled | undefined;
    for (const [compiled, position] of this.#index.mayMatch(file)) {
      if (compiled === last) continue;
      const { pattern, spec } = compiled.targets[position]!;
      const stems = pattern.match(file);
      if (!stems) continue;
      last = compiled;
      const { rule } = compiled;
      const next = this.#ranks.get(compiled)!;
      if (next !== rank) groups.push([]);
      rank = next;
      const sure = !spec.star && !spec.flags.includes("optional");
      groups.at(-1)!.push({ rule, stems, target: spec, star: spec.star, sure });
    }
    return groups;
  }

  /** A rule by name; undefined if there is none. */
  rule(name: string): RuleSpec | undefined {
    return this.#rules.get(name)?.rule;
  }

  /**
   * The job of a rule for values of its static stems.
   *
   * @throws {ClibsError} `CLIBS_LMAKE_STEM` if a static dep names a file of a
   *   star target by a value that does not fit.
   */
  jobOf(rule: RuleSpec, stems: Readonly<Record<string, string>>): Job {
    const compiled = this.#rules.get(rule.name);
    if (!compiled) throw new RangeError(`no rule ${rule.name} in this table`);
    const patterns = new Map(
      compiled.targets.map(({ spec, pattern }) => [spec, pattern]),
    );
    const values: Record<string, TemplateValue> = {};
    for (const [name, value] of Object.entries(stems)) {
      if (!name.startsWith(":")) values[name] = value;
    }
    const targets = rule.targets.map((spec): JobTarget => {
      const { key, flags } = spec;
      const pattern = patterns.get(spec)!;
      if (!spec.star) {
        const file = pattern.expand(stems);
        values[key] = nameInside(rule.sub, file);
        return { key, flags, file };
      }
      const files = pattern.bind(stems);
      values[key] = (...given) => nameInside(rule.sub, files.expand(given));
      return { key, flags, files };
    });
    const first = targets[0]!;
    return {
      key: jobKey(rule, stems),
      display: rule.jobName === undefined
        ? first.file ?? first.files!.display
        : expandTemplate(rule.jobName, values),
      rule,
      stems: { ...stems },
      targets,
      sideTargets: rule.sideTargets.map(({ key, flags }, index) => ({
        key,
        flags,
        files: compiled.sideTargets[index]!.bind(stems),
      })),
      deps: rule.deps === "dynamic" ? "dynamic" : rule.deps.map((dep) => ({
        ...dep,
        pattern: nameOutside(
          rule.sub,
          expandTemplate(dep.pattern, values),
          dep.flags,
        ),
      })),
      sideDeps: rule.sideDeps.map(({ key, flags }, index) => ({
        key,
        flags,
        files: compiled.sideDeps[index]!.bind(stems),
      })),
      values,
    };
  }
}

/** What tells a job from all others: its rule's name, and its static stems. */
export function jobKey(
  rule: Pick<RuleSpec, "name">,
  stems: Readonly<Record<string, string>>,
): string {
  const sorted = Object.entries(stems).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([rule.name, ...sorted.flat()]);
}

/**
 * Those of inner sub-repos first; of each repo anti and source rules, then by
 * descending priority.
 */
function byRank(a: RuleSpec, b: RuleSpec): number {
  const depth = depthOf(b) - depthOf(a);
  if (depth !== 0) return depth;
  const kind = Number(a.kind === "plain") - Number(b.kind === "plain");
  if (kind !== 0) return kind;
  const left = a.prio ?? Infinity;
  const right = b.prio ?? Infinity;
  return left === right ? 0 : left > right ? -1 : 1;
}

function depthOf({ sub }: RuleSpec): number {
  return sub === undefined ? 0 : sub.split("/").length;
}

function compile(rule: RuleSpec): Compiled {
  const { stems, sub } = rule;
  const targets = rule.targets.map((spec) => ({
    spec,
    pattern: compilePattern(patternOutside(sub, spec.pattern), stems),
  }));
  return {
    rule,
    targets: [
      ...targets.filter(({ spec }) => !spec.star),
      ...targets.filter(({ spec }) => spec.star),
    ],
    sideTargets: rule.sideTargets.map(({ pattern }) =>
      compilePattern(patternOutside(sub, pattern), stems)
    ),
    sideDeps: rule.sideDeps.map(({ pattern, flags }) =>
      compilePattern(patternOutside(sub, pattern, flags), stems, {
        outside: true,
      })
    ),
  };
}
