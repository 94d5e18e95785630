import * as v from 'valibot';
import { parseDuration } from '../duration.ts';

/** A duration such as `"25s"` or a number of seconds, held as milliseconds. */
export const duration = (fallback: string) =>
  v.optional(
    v.pipe(
      v.union(
        [v.string(), v.pipe(v.number(), v.minValue(0))],
        'must be a duration such as "30s", "5m" or a number of seconds',
      ),
      v.transform((value) => parseDuration(String(value))),
      v.number('must be a duration such as "500ms", "30s", "5m", "1h" or a number of seconds'),
    ),
    fallback,
  );

/** A whole number within limits, both included. */
export const integer = (minimum: number, maximum: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum));
