/** What a command is: data for the parser, help, completions and docs. */

import type { AskedServer, ClibsError, FeedbackBus } from "../mod.ts";

/** What a shell should offer for a value. */
export type Completion = "file" | "dir" | "code";

/** A flag, by its long name in a {@linkcode FlagTable}. */
export interface FlagSpec {
  /** One letter. */
  readonly short?: string;
  /** Name of the value as help shows it; without it the flag is a switch. */
  readonly value?: string;
  /** What the value must be. Default: text. */
  readonly type?: "count";
  /** The only values accepted. */
  readonly choices?: readonly string[];
  /** Whether it may be given several times; the values form an array. */
  readonly repeat?: boolean;
  /** What a shell should offer for the value. */
  readonly complete?: Completion;
  /** One line for the help, without a full stop. */
  readonly help: string;
}

/** Flags by their long names, without the dashes. */
export type FlagTable = Readonly<Record<string, FlagSpec>>;

/** A positional argument. */
export interface ArgSpec {
  /** Name as help shows it, in capitals. */
  readonly name: string;
  /** Whether it must be there. Default: no. */
  readonly required?: boolean;
  /** Whether it takes all that follow. Default: no. */
  readonly variadic?: boolean;
  /** The only values accepted. */
  readonly choices?: readonly string[];
  /** What a shell should offer. */
  readonly complete?: Completion;
  /** One line for the help, without a full stop. */
  readonly help: string;
}

/** One command. */
export interface CommandSpec {
  /** Heading below which help lists it. */
  readonly group: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** More, in paragraphs of plain text. */
  readonly description?: string;
  readonly args: readonly ArgSpec[];
  readonly flags: FlagTable;
  /** Whether what follows the first argument is not for clibs to read. */
  readonly passThrough?: boolean;
  /** Whether signals are for what it runs, so that it deals with them itself. */
  readonly ownSignals?: boolean;
  /** Whether it has the exit codes of `lmake`. Default: 0, 1, 2 and 130. */
  readonly exitCodes?: "lmake";
  /** Command lines, and what each does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Loads the command's module: one literal `import()` each. */
  readonly load: () => Promise<CommandModule>;
}

/** The module of a command. */
export interface CommandModule {
  /** Does the work and returns the exit code. */
  run(
    context: CommandContext,
    args: string[],
    flags: Record<string, unknown>,
  ): Promise<number>;
}

/** What the frame gives to a command. */
export interface CommandContext {
  /** To be passed to the library as `feedback`. */
  readonly bus: FeedbackBus;
  /** Fires at Ctrl-C, SIGTERM and SIGHUP; to be passed to the library. */
  readonly signal: AbortSignal;
  /** The server that was asked to do what this command line says. */
  readonly asked?: AskedServer | undefined;
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** Whether `--verbose` was given. */
  readonly verbose: boolean;
  /** Whether `--quiet` was given. */
  readonly quiet: boolean;
  /** Whether standard output takes colours. */
  readonly color: boolean;
  /** Whether a line that redraws itself may be shown, by `status` events. */
  readonly live: boolean;
  /** Width of the terminal; 80 if there is none. */
  readonly columns: number;
  /**
   * Prints results for a person to standard output, newlines included.
   * Does nothing with `--json`.
   */
  stdout(text: string): void;
  /** Prints to standard error, newlines included, beside what redraws itself. */
  stderr(text: string): void;
  /**
   * Sets the document that `--json` prints, without its `version`; the last
   * call counts. An error thrown later is added as its `error`.
   */
  result(document: Readonly<Record<string, unknown>>): void;
  /** Shows an error at the end; the command goes on and returns 1 itself. */
  report(error: ClibsError): void;
}

type Camel<S extends string> = S extends `${infer A}-${infer B}`
  ? `${A}${Capitalize<Camel<B>>}`
  : S;

type Scalar<F extends FlagSpec> = F extends { choices: readonly (infer C)[] }
  ? C
  : F extends { type: "count" } ? number
  : string;

type ValueOf<F extends FlagSpec> = F extends { value: string }
  ? F extends { repeat: true } ? Scalar<F>[] : Scalar<F>
  : boolean;

/** Parsed values of a flag table; a flag that was not given is undefined. */
export type FlagValues<T extends FlagTable> = {
  [K in keyof T & string as Camel<K>]?: ValueOf<T[K]>;
};
