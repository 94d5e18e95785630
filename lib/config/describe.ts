import * as v from 'valibot';

/** Gives a setting the sentence that the reference and editors show. */
export const describe = <T extends v.GenericSchema>(schema: T, text: string) => v.pipe(schema, v.description(text));
