/** What `encode` and `decode` refuse. */

import { ClibsError } from "../../errors.ts";
import { MAX_LENGTH } from "./settle.ts";

/** The table cannot be used: it is missing, no source, outside the repo, … */
export function tableError(
  table: string,
  cause: string,
  hint?: string,
): ClibsError {
  return new ClibsError(
    "CLIBS_CODEC_TABLE",
    `Cannot use the table ${table}: ${cause}`,
    hint === undefined ? {} : { hint },
  );
}

/** Nothing has this code. */
export function codeError(
  table: string,
  context: string,
  code: string,
): ClibsError {
  return new ClibsError(
    "CLIBS_CODEC_CODE",
    `Cannot decode ${JSON.stringify(code)}: the table has no such code`,
    { facts: { table, context } },
  );
}

/** A context which is no relative path in its shortest form. */
export function contextError(table: string, context: string): ClibsError {
  return new ClibsError(
    "CLIBS_CODEC_CONTEXT",
    `Cannot use the context ${
      JSON.stringify(context)
    }: it is not a plain relative path`,
    {
      facts: { table },
      hint:
        "in a table that is a folder a context is a name such as `ctx` or `a/b`",
    },
  );
}

/** A setting of a dir table that is unknown or cannot be read. */
export function configError(path: string, cause: string): ClibsError {
  return new ClibsError(
    "CLIBS_CODEC_CONFIG",
    `Cannot read the settings of a table: ${cause}`,
    {
      facts: { file: path },
      hint:
        'write `export const file_sync = "dir";` and `export const perm = "none";`',
    },
  );
}

/** What a dir table holds contradicts itself. */
export function damageError(table: string, cause: string): ClibsError {
  return new ClibsError(
    "CLIBS_CODEC_DAMAGED",
    `Cannot use the table ${table}: ${cause}`,
    { hint: `repair it while nobody uses it: clibs repair ${table}` },
  );
}

/**
 * Refuses a least length that no code can have.
 *
 * @throws {ClibsError} `CLIBS_CODEC_LENGTH`
 */
export function checkLength(minLength: number): void {
  if (
    Number.isInteger(minLength) && minLength >= 1 && minLength <= MAX_LENGTH
  ) return;
  throw new ClibsError(
    "CLIBS_CODEC_LENGTH",
    `Cannot make a code of at least ${minLength} digits: a code has 1 to ${MAX_LENGTH}`,
  );
}
