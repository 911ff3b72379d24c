/** The caller's environment; what is looked at becomes a dep of the configuration. */

import { ClibsError } from "../../errors.ts";
import { session } from "./session.ts";

/** Variables of the environment, by name. */
export type UserEnviron = Readonly<Record<string, string | undefined>>;

/**
 * Variables of the environment in which clibs was called.
 *
 * Only those that are asked for count, also if they are not set: a change of
 * one reads `Lmakefile.ts` again.
 */
export const userEnviron: UserEnviron = new Proxy<UserEnviron>(
  Object.create(null),
  {
    get: (_, name) => typeof name === "string" ? look(name) : undefined,
    has: (_, name) => typeof name === "string" && look(name) !== undefined,
    getOwnPropertyDescriptor(_, name) {
      const value = typeof name === "string" ? look(name) : undefined;
      if (value === undefined) return undefined;
      return { value, writable: false, enumerable: true, configurable: true };
    },
    ownKeys() {
      throw new ClibsError(
        "CLIBS_LMAKE_ENVIRON",
        "Cannot list userEnviron: all variables would become deps",
        { hint: "read the variables that matter by name: userEnviron.CC" },
      );
    },
    set(_, name) {
      throw new ClibsError(
        "CLIBS_LMAKE_ENVIRON",
        `Cannot set userEnviron.${
          String(name)
        }: it shows the caller's environment`,
        { hint: "give jobs variables by the attribute environ of their rule" },
      );
    },
  },
);

function look(name: string): string | undefined {
  const { environ, environUsed } = session();
  const value = Object.hasOwn(environ, name) ? environ[name] : undefined;
  environUsed.set(name, value ?? null);
  return value;
}
