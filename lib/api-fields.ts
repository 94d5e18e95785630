import * as v from 'valibot';

/** A text with something in it, of at most so many characters. */
export const text = (name: string, maximum: number) =>
  v.pipe(
    v.string(`${name} must be a string`),
    v.regex(/\S/, `${name} must not be empty`),
    v.maxLength(maximum, `${name} must have at most ${maximum} characters`),
  );

/** A short text that names something. */
export const id = (name: string) => text(name, 256);

/** Longest message text that the API takes; the body limit is above it. */
export const MAX_TEXT = 200_000;

/** A segment of a path, already decoded. */
export const segment = () => v.pipe(v.string(), v.minLength(1), v.maxLength(4_096));
