/** The version of the module, and its check. */

import { ClibsError } from "../../errors.ts";
import { version as clibsVersion } from "../../version.ts";

const [majorText = "0", minorText = "0"] = clibsVersion.split(".");

/** Native version: what the major and the minor number of clibs are. */
export const version: readonly [major: string, minor: number] = Object.freeze([
  majorText,
  Number(minorText),
]);

/**
 * Makes sure that this version of clibs does what `Lmakefile.ts` expects.
 *
 * @param major Must be the same.
 * @param minor Must not be greater. Default: 0.
 * @throws {ClibsError} `CLIBS_LMAKE_VERSION` if it does not.
 */
export function checkVersion(major: string | number, minor = 0): void {
  const [ours, newest] = version;
  if (String(major) === ours && minor <= newest) return;
  throw new ClibsError(
    "CLIBS_LMAKE_VERSION",
    `Cannot read Lmakefile.ts: it expects version ${major}.${minor} of clibs, and this is ${clibsVersion}`,
    {
      hint: String(major) === ours
        ? "install a newer clibs"
        : `install clibs ${major}, or adapt Lmakefile.ts and its checkVersion()`,
    },
  );
}
