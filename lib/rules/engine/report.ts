/** What a command says while it works: one line for each thing that happens. */

/** Where lines go, and how they look. */
export interface ReportOptions {
  /** Gets each line, without its end, or several. */
  write: (text: string) => void;
  /** Whether lines begin with the time of day. */
  date: boolean;
  /** Whether lines tell how long a job took. */
  time: boolean;
  /** Whether lines tell where a job ran. Default: false. */
  host?: boolean;
  /** Whether lines tell why a job runs, and name each source. */
  verbose: boolean;
  /** Gets each event for programs. */
  onEvent?: (event: ReportEvent) => void;
}

/** What is said of sources. */
export type SourceWord = "new" | "changed" | "missing" | "steady";

/** One thing that happened. */
export interface ReportEvent {
  /** Milliseconds since 1970. */
  timeMs: number;
  /** What happened, such as `done`. */
  word: string;
  /** The rule, if it is about a job. */
  rule?: string;
  /** The job, or the file. */
  name: string;
  /** Why the job ran. */
  reason?: string;
  /** How long it ran. */
  durationMs?: number;
  /** The result cache that its outcome came from. */
  cache?: string;
  /** Where it ran: name of the machine, or of the backend. */
  host?: string;
  /** What went wrong. */
  message?: string;
  /** What the job wrote to standard error. */
  stderr?: string;
}

/** Prints and counts what happens. */
export class Reporter {
  /** Number of lines and their time, by word. */
  readonly counts = new Map<string, { count: number; ms: number }>();
  readonly #options: ReportOptions;
  readonly #sources = new Map<string, string[]>();

  /** Starts with nothing counted. */
  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** A line about a job, what went wrong beneath, and what it said. */
  job(
    word: string,
    rule: string,
    name: string,
    more: {
      durationMs?: number;
      reason?: string;
      cache?: string;
      host?: string;
      messages?: readonly string[];
      stderr?: string;
      maxLines?: number;
    } = {},
  ): void {
    this.#count(word, more.durationMs ?? 0);
    const time = more.durationMs === undefined || !this.#options.time
      ? ""
      : seconds(more.durationMs);
    const host = this.#options.host && more.host ? ` ${more.host}` : "";
    const reason = this.#options.verbose && more.reason
      ? [`  why: ${more.reason}`]
      : [];
    const lines = [
      `${this.#prefix()}${word.padEnd(11)} ${rule}${host} ` +
      `${time.padStart(8)} ${name}`,
      ...reason,
      ...(more.messages ?? []).map((message) => indent(message)),
    ];
    if (more.stderr) lines.push(indent(cut(more.stderr, more.maxLines ?? 100)));
    this.#options.write(lines.join("\n"));
    this.#options.onEvent?.({
      timeMs: Date.now(),
      word,
      rule,
      name,
      ...(more.reason ? { reason: more.reason } : {}),
      ...(more.durationMs === undefined ? {} : { durationMs: more.durationMs }),
      ...(more.cache === undefined ? {} : { cache: more.cache }),
      ...(more.host === undefined ? {} : { host: more.host }),
      ...(more.messages?.length ? { message: more.messages.join("\n") } : {}),
      ...(more.stderr ? { stderr: more.stderr } : {}),
    });
  }

  /** A line about a file. */
  file(word: string, name: string, message?: string): void {
    this.#count(word, 0);
    const tail = message === undefined ? "" : `\n${indent(message)}`;
    this.#options.write(`${this.#prefix()}${word.padEnd(11)} ${name}${tail}`);
    this.#options.onEvent?.({
      timeMs: Date.now(),
      word,
      name,
      ...(message === undefined ? {} : { message }),
    });
  }

  /** Notes a source; many of one word become one line. */
  source(word: SourceWord, name: string): void {
    // The date alone is of interest to few, and to no job.
    if (word === "steady") {
      if (this.#options.verbose) this.#sourceLine(word, name);
      return;
    }
    const names = this.#sources.get(word) ?? [];
    names.push(name);
    this.#sources.set(word, names);
    this.#options.onEvent?.({ timeMs: Date.now(), word, name });
    if (this.#options.verbose) this.#sourceLine(word, name);
  }

  #sourceLine(word: string, text: string): void {
    this.#options.write(`${this.#prefix()}${word.padEnd(11)} ${text}`);
  }

  /** Prints what was only counted so far. */
  flushSources(): void {
    for (const [word, names] of this.#sources) {
      this.#count(word, 0, names.length);
      if (this.#options.verbose) continue;
      const text = names.length === 1
        ? names[0]!
        : `${names.length.toLocaleString("en")} sources`;
      this.#sourceLine(word, text);
    }
    this.#sources.clear();
  }

  /** Text that is no event. */
  text(text: string): void {
    this.#options.write(text);
  }

  #count(word: string, ms: number, by = 1): void {
    const entry = this.counts.get(word) ?? { count: 0, ms: 0 };
    entry.count += by;
    entry.ms += ms;
    this.counts.set(word, entry);
  }

  #prefix(): string {
    if (!this.#options.date) return "";
    const now = new Date();
    const two = (n: number) => String(n).padStart(2, "0");
    return `${two(now.getHours())}:${two(now.getMinutes())}:${
      two(now.getSeconds())
    } `;
  }
}

/** A duration as lines show it. */
export function seconds(ms: number): string {
  return ms < 10_000
    ? `${(ms / 1000).toFixed(3)}s`
    : ms < 100_000
    ? `${(ms / 1000).toFixed(1)}s`
    : `${Math.floor(ms / 60_000)}m${Math.round(ms % 60_000 / 1000)}s`;
}

/** A text set in from the margin. */
export function indent(text: string, by = 2): string {
  const space = " ".repeat(by);
  return text.replace(/\n+$/, "").split("\n").map((line) => space + line)
    .join("\n");
}

/** The first lines of a text, and how many there were. */
export function cut(text: string, lines: number): string {
  const all = text.replace(/\n+$/, "").split("\n");
  if (all.length <= lines || lines === 0) return all.join("\n");
  return [
    ...all.slice(0, lines),
    `... (${all.length - lines} more lines)`,
  ].join("\n");
}
