/** What a function job is to do, as its runner writes it down. */

/** Pieces of a star target's name: text, and stems that vary within a job. */
export interface StarTarget {
  /** Text, or a stem by name (empty if it has none) and what it matches (flags `s` and `u`). */
  star: (string | { stem: string; regexp: string })[];
}

/** A job whose command is a function; it survives JSON. */
export interface JobDescription {
  /** Name of the rule, for messages. */
  rule: string;
  /** Source text of the function, as JavaScript. */
  functionText: string;
  /** Import statements that it needs, with absolute or bare specifiers. */
  imports: string[];
  /** Values of the rule's `vars`. */
  vars: unknown;
  /** What the function finds in its argument, by name. */
  values: {
    stems: Record<string, string>;
    targets: Record<string, string | StarTarget>;
    deps: Record<string, string>;
    resources: Record<string, number | string>;
  };
  /** Root of the repo, absolute. */
  root: string;
  /** Root of the outermost repo. Default: `root`. */
  topRoot?: string;
}
