/** Durations as they are written in the configuration: `250ms`, `1s`, `1.5s`, `5m`, `1h`. */

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** The milliseconds of a duration; `undefined` when the text is none or has a part of a ms. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', unit = 'ms'] = match;
  // Counting in millionths keeps binary fractions out: 0.07s is exactly 70 ms.
  const millionths = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  const scaled = millionths * BigInt(unitMs[unit as keyof typeof unitMs]);
  return scaled % 1_000_000n === 0n ? Number(scaled / 1_000_000n) : undefined;
}

/** Writes a duration in the unit that a person would choose. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs === 0) return '0s';
  if (durationMs % unitMs.h === 0) return `${durationMs / unitMs.h}h`;
  if (durationMs % unitMs.m === 0) return `${durationMs / unitMs.m}m`;
  if (durationMs % unitMs.s === 0 || durationMs > 10_000) return `${durationMs / unitMs.s}s`;
  return `${durationMs}ms`;
}
