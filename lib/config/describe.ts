import * as v from 'valibot';

/** Ends the description of a setting that is accepted, so that a file made for a later version starts, but has no effect yet. */
export const NOT_USED_YET = '(Accepted, not used yet.)';

/** Gives a setting the sentence that the reference and editors show. */
export const describe = <T extends v.GenericSchema>(schema: T, text: string) => v.pipe(schema, v.description(text));

/** An optional setting, or section, that has no effect yet: the reference says so, and so does a warning when it is set. */
export const reserve = <T extends v.GenericSchema>(schema: T, text: string) =>
  describe(v.optional(schema), `${text} ${NOT_USED_YET}`);

/** True for what `reserve` made. */
export function isReserved(schema: v.GenericSchema): boolean {
  return v.getDescription(schema)?.endsWith(NOT_USED_YET) === true;
}
