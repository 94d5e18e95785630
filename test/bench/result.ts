/** One line of the benchmark table. */
export type Row = {
  what: string;
  /** What we measured and what we compare with, each with its unit. */
  ours: string;
  baseline: string;
  /** What counts: a ratio within the same run, or an exact number. */
  result: string;
  goal: string;
  isMet: boolean;
};

export type BenchOptions = {
  /** A trial with a few rounds, to see that the bench works; its numbers mean little. */
  isQuick: boolean;
};

export type Bench = { name: string; run(options: BenchOptions): Promise<Row[]> };

/** The middle value. Throws for an empty list. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the given share lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (value === undefined) throw new Error('There is nothing to take a quantile of');
  return value;
}

/** A row whose ratio must not exceed, or not fall below, a limit. */
export function ratioRow(row: {
  what: string;
  ours: string;
  baseline: string;
  ratio: number;
  goal: { atMost: number } | { atLeast: number };
}): Row {
  const { what, ours, baseline, ratio, goal } = row;
  const isMet = 'atMost' in goal ? ratio <= goal.atMost : ratio >= goal.atLeast;
  return {
    what,
    ours,
    baseline,
    result: `× ${ratio.toFixed(2)}`,
    goal: 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`,
    isMet,
  };
}

/** A row whose number must not exceed a limit, both in the same unit. */
export function limitRow(row: {
  what: string;
  value: number;
  unit: string;
  atMost: number;
  baseline?: string;
  digits?: number;
}): Row {
  const { what, value, unit, atMost, baseline = '–', digits = 1 } = row;
  const text = `${value.toFixed(digits)} ${unit}`;
  return { what, ours: text, baseline, result: text, goal: `≤ ${atMost} ${unit}`, isMet: value <= atMost };
}

/** A row without a goal, beside which the others can be read. */
export function informationRow(row: { what: string; ours: string; baseline?: string; result?: string }): Row {
  const { what, ours, baseline = '–', result = ours } = row;
  return { what, ours, baseline, result, goal: 'for information', isMet: true };
}
