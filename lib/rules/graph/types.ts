/** A graph of jobs and sources, as data. */

/** How things stand with a node, as far as files tell. */
export type GraphState =
  /** A job whose last run still holds. */
  | "up to date"
  /** A job that read something else than what is there now. */
  | "out of date"
  /** A job whose last run failed. */
  | "in error"
  /** A job that a rule has, and that never ran. */
  | "never ran"
  /** A job whose target the user froze. */
  | "frozen"
  /** A source that is there. */
  | "source"
  /** A file that is needed, not there, and made by nothing. */
  | "missing";

/** A job, or a file that no job makes. */
export interface GraphNode {
  /** Unique in its graph; the same as long as the rule matches the same. */
  id: string;
  /** What it is. */
  kind: "job" | "file";
  /** The job as lines of `clibs make` show it, or the file. */
  name: string;
  /** Rule of the job. */
  rule?: string;
  /** What the job made, or would; of a file, itself. */
  files: string[];
  /** How things stand. */
  state: GraphState;
  /** Why it is not up to date. */
  reason?: string;
  /** How long the job ran last. */
  durationMs?: number;
}

/** A job's deps on a node. */
export interface GraphEdge {
  /** Id of the job. */
  from: string;
  /** Id of what it needs. */
  to: string;
  /** The files that it needs of it. */
  files: string[];
  /** Whether the rule names one of them; else the job was seen to read them. */
  static: boolean;
}

/** What files are made of, down to the sources. */
export interface RulesGraph {
  /** The files that were asked for. */
  targets: string[];
  /** Jobs before what they need, as far as there is no loop. */
  nodes: GraphNode[];
  /** Each pair of nodes once. */
  edges: GraphEdge[];
}

/** How a graph can be drawn. */
export type GraphFormat = "svg" | "dot" | "html";
