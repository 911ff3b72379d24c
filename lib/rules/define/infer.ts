/** Types that read patterns, so that `cmd` knows its stems, targets and deps. */

/** What follows a stem, from the text after its colon; braces pair up. */
export type AfterRegex<Text extends string, Open extends unknown[] = []> =
  Text extends `${infer Char}${infer Rest}`
    ? Char extends "\\"
      ? Rest extends `${infer _}${infer After}` ? AfterRegex<After, Open> : ""
    : Char extends "{" ? AfterRegex<Rest, [...Open, 0]>
    : Char extends "}"
      ? Open extends [unknown, ...infer Fewer] ? AfterRegex<Rest, Fewer> : Rest
    : AfterRegex<Rest, Open>
    : "";

/** Static stems, as a union, and star stems, in order, of a pattern. */
export type Parse<
  Text extends string,
  Static extends string = never,
  Stars extends string[] = [],
> = Text extends `${infer _}{${infer Rest}`
  ? Rest extends `{${infer After}` ? Parse<After, Static, Stars>
  : Rest extends `${infer Head}}${infer After}`
    ? Head extends `${infer Name}:${infer _}`
      ? Rest extends `${Name}:${infer Regex}`
        ? AddStem<Name, AfterRegex<Regex>, Static, Stars>
      : never
    : AddStem<Head, After, Static, Stars>
  : [Static, Stars]
  : [Static, Stars];

/** Goes on after a stem, with its name added. */
export type AddStem<
  Name extends string,
  Rest extends string,
  Static extends string,
  Stars extends string[],
> = Name extends `${infer Star}*`
  ? Star extends Exclude<Stars[number], ""> ? Parse<Rest, Static, Stars>
  : Parse<Rest, Static, [...Stars, Star]>
  : Name extends "" ? Parse<Rest, Static, Stars>
  : Parse<Rest, Static | Name, Stars>;

/** A pattern alone, or with flags after it. */
export type WithFlags<Flag extends string> =
  | string
  | readonly [pattern: string, ...flags: (Flag | `-${Flag}`)[]];

/** The pattern of a target or dep that may have flags. */
export type PatternOf<Value> = Value extends string ? Value
  : Value extends readonly [infer Text extends string, ...unknown[]] ? Text
  : never;

/** Names of the static stems of a pattern. */
export type StaticStems<Value> = PatternOf<Value> extends
  infer Text extends string ? Parse<Text>[0] : never;

/** What a pattern becomes for a command: a name, or a function of star stems. */
export type NameOf<Value> = PatternOf<Value> extends infer Text extends string
  ? string extends Text ? string & ((...stems: string[]) => string)
  : Parse<Text>[1] extends infer Stars extends string[]
    ? Stars extends [] ? string
    : (...stems: { [Index in keyof Stars]: string }) => string
  : string
  : string;

/** Writes an intersection out as one object, which editors show. */
export type Show<Type> = { [Key in keyof Type]: Type[Key] } & unknown;
