/** Lists files whatever their names: Deno can only read those in UTF-8. */

import { Buffer } from "node:buffer";

/** What `find` prints, which must end with NUL; as byte strings. */
export function find(roots: string[], args: string[]): string[] {
  const { success, stdout, stderr } = new Deno.Command("find", {
    args: [...roots, ...args],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return Buffer.from(stdout).toString("latin1").split("\0").slice(0, -1);
}
