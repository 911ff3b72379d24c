/**
 * File names as text, also those that are not UTF-8.
 *
 * A byte that is no part of valid UTF-8 becomes the lone surrogate U+DC00 plus
 * the byte (U+DC80 to U+DCFF), as Python does it: every name has one text, and
 * the text gives the same bytes back.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether a text stands for bytes that are not UTF-8; such names only the C library takes. */
export function hasRawBytes(path: string): boolean {
  return !path.isWellFormed();
}

/** The bytes that a text of {@linkcode bytesToPath} stands for. */
export function pathToBytes(path: string): Uint8Array<ArrayBuffer> {
  if (path.isWellFormed()) return encoder.encode(path);
  const bytes: number[] = [];
  for (const character of path) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else if (code >= 0xd800 && code <= 0xdfff) {
      // No name has this text. Written out all the same, so that two different
      // texts do not come down to one U+FFFD.
      bytes.push(0xed, 0x80 | (code >> 6 & 0x3f), 0x80 | (code & 0x3f));
    } else bytes.push(...encoder.encode(character));
  }
  return new Uint8Array(bytes);
}

/** The text of a file name, or of other bytes that are UTF-8 as a rule. */
export function bytesToPath(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeRaw(bytes);
  }
}

function decodeRaw(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes, i);
    if (length === 0) parts.push(String.fromCharCode(0xdc00 + bytes[i]!));
    else parts.push(decoder.decode(bytes.subarray(i, i + length)));
    i += length || 1;
  }
  return parts.join("");
}

/** Bytes of the character that starts at `i`; 0 if none does. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i]!;
  if (first < 0x80) return 1;
  const length = first >= 0xc2 && first < 0xe0
    ? 2
    : first >= 0xe0 && first < 0xf0
    ? 3
    : first >= 0xf0 && first < 0xf5
    ? 4
    : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  for (let k = 1; k < length; k++) {
    if ((bytes[i + k]! & 0xc0) !== 0x80) return 0;
  }
  // Too long for its character, a surrogate, or beyond the last character.
  const second = bytes[i + 1]!;
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second >= 0xa0) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second >= 0x90) return 0;
  return length;
}
