/** Command lines of the twins: short, long and combined options. */

import { nearest } from "../../nearest.ts";

/** An option of a twin. */
export interface TwinOption {
  /** Name by which the parsed value is found. */
  name: string;
  /** Letters, each of which means it. */
  letters: string;
  /** Long names; the first is shown. */
  long: string[];
  /** What its value is called in the usage; absent: it has none. */
  value?: string;
  /** Whether a long name may stand without its value. */
  isValueOptional?: boolean;
  /** A line for the usage. */
  help: string;
}

/** A parsed command line. */
export interface TwinArguments {
  /** Values of options; `true` for those without one. */
  options: Record<string, string | true>;
  /** What is no option. */
  rest: string[];
}

/** A mistake in the command line of a twin. */
export class TwinUsageError extends Error {
  /** Name of the class. */
  override name = "TwinUsageError";
}

/**
 * Parses a command line.
 *
 * @param stopsAtFirst Whether everything from the first argument on that is no
 *   option belongs to somebody else's command line.
 * @throws {TwinUsageError} If an option is not known, or lacks its value.
 */
export function parseTwinArguments(
  known: readonly TwinOption[],
  args: readonly string[],
  stopsAtFirst = false,
): TwinArguments {
  const options: Record<string, string | true> = {};
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      rest.push(...args.slice(i + 1));
      break;
    }
    const next = () => args[++i];
    if (arg.startsWith("--")) takeLong(known, arg, next, options);
    else if (arg.startsWith("-") && arg !== "-") {
      takeShort(known, arg, next, options);
    } else if (stopsAtFirst) {
      rest.push(...args.slice(i));
      break;
    } else rest.push(arg);
  }
  return { options, rest };
}

function takeShort(
  known: readonly TwinOption[],
  arg: string,
  next: () => string | undefined,
  options: Record<string, string | true>,
): void {
  for (let at = 1; at < arg.length; at++) {
    const letter = arg[at]!;
    const option = known.find(({ letters }) => letters.includes(letter));
    if (!option) throw new TwinUsageError(`unknown option -${letter}`);
    if (option.value === undefined || option.isValueOptional) {
      options[option.name] = true;
      continue;
    }
    const value = at + 1 < arg.length ? arg.slice(at + 1) : next();
    if (value === undefined) {
      throw new TwinUsageError(`option -${letter} needs ${option.value}`);
    }
    options[option.name] = value;
    return;
  }
}

function takeLong(
  known: readonly TwinOption[],
  arg: string,
  next: () => string | undefined,
  options: Record<string, string | true>,
): void {
  const equals = arg.indexOf("=");
  const name = arg.slice(2, equals < 0 ? undefined : equals);
  const option = findLong(known, name);
  const given = equals < 0 ? undefined : arg.slice(equals + 1);
  if (option.value === undefined && given !== undefined) {
    throw new TwinUsageError(`option --${name} takes no value`);
  }
  if (option.value === undefined || option.isValueOptional) {
    options[option.name] = given ?? true;
    return;
  }
  const value = given ?? next();
  if (value === undefined) {
    throw new TwinUsageError(`option --${name} needs ${option.value}`);
  }
  options[option.name] = value;
}

/** An option by its long name, or by the beginning of only one. */
function findLong(known: readonly TwinOption[], name: string): TwinOption {
  const exact = known.find(({ long }) => long.includes(name));
  if (exact) return exact;
  const begun = name === ""
    ? []
    : known.filter(({ long }) => long.some((full) => full.startsWith(name)));
  if (begun.length === 1) return begun[0]!;
  if (begun.length > 1) {
    const names = begun.map(({ long }) => `--${long[0]}`).join(", ");
    throw new TwinUsageError(`option --${name} may mean ${names}`);
  }
  const near = nearest(name, known.flatMap(({ long }) => long));
  throw new TwinUsageError(
    `unknown option --${name}` +
      (near === undefined ? "" : ` (nearest: --${near})`),
  );
}

/** How a twin is called, one option a line. */
export function twinUsage(
  program: string,
  rest: string,
  known: readonly TwinOption[],
): string {
  const rows = known.map(({ letters, long, value, isValueOptional, help }) => {
    const shorts = [...letters].map((letter) => `-${letter}`);
    const names = [...shorts, `--${long[0]}`].join(", ");
    const shown = isValueOptional ? undefined : value;
    return [shown === undefined ? names : `${names} ${shown}`, help] as const;
  });
  const width = Math.max(...rows.map(([names]) => names.length));
  const lines = rows.map(([names, help]) =>
    `  ${names.padEnd(width)}  ${help}\n`
  );
  return `usage: ${program} [options] ${rest}`.trimEnd() + "\n" +
    lines.join("");
}
