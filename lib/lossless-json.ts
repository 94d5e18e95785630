/** Parses JSON in which whole numbers of 16 digits and more become text: as numbers they would lose their last digits. Throws SyntaxError. */
export function parseLossless(json: string): unknown {
  return JSON.parse(
    json.replace(/"(?:[^"\\]|\\.)*"|(-?\d{16,})(?![\d.eE])/g, (whole, digits?: string) =>
      digits === undefined ? whole : `"${digits}"`,
    ),
  );
}
