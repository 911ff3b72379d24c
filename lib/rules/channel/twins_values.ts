/** Twins that compute: `lencode`, `ldecode`, `xxhsum`. */

import { ClibsError } from "../../errors.ts";
import { checkName, fileNames } from "./arguments.ts";
import { checkMinLength } from "./requests.ts";
import { HELP, refuseRest, type Twin, usage, type Values } from "./twin.ts";
import { TwinUsageError } from "./twin_options.ts";

const CODEC = [
  {
    letters: "ft",
    name: "table",
    long: ["table", "file"],
    value: "TABLE",
    help: "the table",
  },
  {
    letters: "x",
    name: "context",
    long: ["context", "ctx"],
    value: "CTX",
    help: "the context in it",
  },
];

/** These twins by name. */
export const valueTwins: Readonly<Record<string, Twin>> = {
  lencode: {
    rest: "<VALUE",
    options: [
      ...CODEC,
      {
        letters: "l",
        name: "minLength",
        long: ["min-length", "min-len"],
        value: "N",
        help: "digits that a new code has at least",
      },
      HELP,
    ],
    async run(services, { cwd, options, rest, stdin }) {
      refuseRest(rest);
      const [table, context] = tableOf(options);
      const length = options.minLength;
      const minLength = usage(() =>
        checkMinLength(
          length === undefined ? 1 : length === "" ? 0 : Number(length),
        )
      );
      const code = await services.encode(
        cwd,
        table,
        context,
        exactText(stdin),
        minLength,
      );
      return { stdout: `${code}\n` };
    },
  },
  ldecode: {
    rest: "",
    options: [
      ...CODEC,
      {
        letters: "c",
        name: "code",
        long: ["code"],
        value: "CODE",
        help: "the code",
      },
      HELP,
    ],
    async run(services, { cwd, options, rest }) {
      refuseRest(rest);
      const [table, context] = tableOf(options);
      const { code } = options;
      if (typeof code !== "string") throw new TwinUsageError("-c is missing");
      return { stdout: await services.decode(cwd, table, context, code) };
    },
  },
  xxhsum: {
    rest: "[FILE…]",
    options: [HELP],
    async run(services, { cwd, rest, stdin }) {
      if (rest.length === 0) {
        return { stdout: `${await services.xxhsum(stdin)}\n` };
      }
      const files = usage(() => fileNames("xxhsum", rest));
      const sums = await Promise.all(
        files.map((file) => services.xxhsumFile(cwd, file)),
      );
      if (files.length === 1) return { stdout: `${sums[0]}\n` };
      const lines = files.map((file, i) => `${sums[i]} ${file}\n`);
      return { stdout: lines.join("") };
    },
  },
};

function tableOf({ table, context }: Values): [string, string] {
  if (typeof table !== "string") throw new TwinUsageError("-f is missing");
  if (typeof context !== "string") throw new TwinUsageError("-x is missing");
  usage(() => checkName("table", table));
  return [table, context];
}

function exactText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch {
    throw new ClibsError(
      "CLIBS_JOB_ARGUMENT",
      "Cannot encode the value: it is not UTF-8",
      { hint: "encode it as text first, with base64 say" },
    );
  }
}
