/** Pieces of a file that a person wrote, as messages may show them. */

import { escapeControls } from "../feedback/escape.ts";
import type { Place } from "./document.ts";

/** Longest piece of a line that is shown, and how much of it comes first. */
const WIDTH = 70;
const BEFORE = 39;

/** A text in quotes, shortened, without secrets and control characters. */
export function quoted(text: string): string {
  // Shortened first: the patterns below take time for a text of a megabyte.
  const start = text.slice(0, 1000);
  const masked = Array.from(maskSecrets(start));
  const short = masked.length > 60 || start.length < text.length
    ? `${masked.slice(0, 57).join("")}...`
    : masked.join("");
  return escapeControls(JSON.stringify(short));
}

/**
 * Puts stars in place of user and password in URLs, and of parameters that look
 * like secrets. The length stays, so that columns stay true.
 */
export function maskSecrets(text: string): string {
  const stars = (_: string, before: string, secret: string, after = "") =>
    before + "*".repeat(Array.from(secret).length) + after;
  return text
    .replace(/(:\/\/)([^/?#\s"']*)(@)/g, stars)
    .replace(
      SECRET_PARAMETER,
      (all, before: string, secret: string) => stars(all, before, secret),
    );
}

const SECRET_PARAMETER =
  /([?&][^=&\s]{0,40}(?:token|sig|key|secret|pass|auth|cred)[^=&\s]{0,40}=)([^&#\s"']*)/gi;

/** The line of a place, cut around it, and a second line that points at it. */
export function excerpt(text: string, place: Place): string {
  const line = Array.from(text.split("\n", place.line)[place.line - 1] ?? "");
  const start = Math.max(0, place.column - 1 - BEFORE);
  // Masked with what surrounds the piece: a cut URL would not be known as one.
  const from = Math.max(0, start - 1000);
  const around = line.slice(from, start + WIDTH + 1000).join("");
  const shown = Array.from(maskSecrets(around))
    .slice(start - from, start - from + WIDTH)
    .map((char) => escapeControls(char) === char && char !== "\t" ? char : " ")
    .join("");
  return `${shown}\n${" ".repeat(place.column - 1 - start)}^`;
}
