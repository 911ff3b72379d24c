/**
 * Where the server of a repo is, and who may speak with it. Imports nothing
 * that takes time to load.
 */

import { version } from "../../version.ts";
import { PRIVATE } from "../root.ts";

/** Which clibs speaks: another one's server is asked to go. */
export const SPEAKER = `1 ${version} ${import.meta.url}`;

/** Longest path that a socket may have. */
const MAX_ADDRESS = 107;

/** Path of the socket in a repo; undefined if it would be too long. */
export function addressInRepo(root: string): string | undefined {
  const path = `${root}/${PRIVATE}/server.sock`;
  const { length } = new TextEncoder().encode(path);
  return length <= MAX_ADDRESS ? path : undefined;
}
