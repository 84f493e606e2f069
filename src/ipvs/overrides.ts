/**
 * What operators have set for servers over the configuration: how the knowledge of two directors is
 * put together, and what follows from it for a server. Pure.
 *
 * Each way of overriding a server (drain, maintain, weight, a file of one node) is a register of
 * its own, and of two values of a register the later one counts. So directors that have told each
 * other everything, in whatever order and how often, know the same.
 */
import {
  type OverrideKind,
  type OverrideRecord,
  overrideKinds,
  overridesMax,
} from '../wire/overrideModel.js';
import type { ServerId } from './desired.js';

/** Records by their key. */
export type OverrideRecords = ReadonlyMap<OverrideKey, OverrideRecord>;

/** Names a register: server, kind, and for a file the node that has it. */
export type OverrideKey = string;

/** What holds for one server, from the record that has precedence. */
export interface ServerOverride {
  readonly kind: OverrideKind;
  /** The weight that counts in place of the configured one; 0 unless the kind is `weight`. */
  readonly weight: number;
  readonly user: string;
  readonly reason: string;
  readonly node: string;
  readonly sinceUnixMs: number;
}

/** No records. */
export const noOverrides: OverrideRecords = new Map();

/** What was taken back is remembered so long, for a peer that was away, in milliseconds. */
export const tombstoneAgeMaxMs = 30 * 86_400_000;

/** The register of a record. */
export function overrideKey(
  record: Pick<OverrideRecord, 'server' | 'kind' | 'folderOf'>,
): OverrideKey {
  return `${record.kind} ${record.folderOf} ${record.server}`;
}

/** Records by their key; of several for one register the latest counts. */
export function indexOverrides(records: Iterable<OverrideRecord>): OverrideRecords {
  const index = new Map<OverrideKey, OverrideRecord>();
  for (const record of records) {
    const key = overrideKey(record);
    const known = index.get(key);
    if (known === undefined || isLater(record, known)) index.set(key, record);
  }
  return index;
}

/**
 * What both know together. The order does not matter, nor does what is merged twice. The result is
 * `known` itself when there is nothing new.
 */
export function mergeOverrides(
  known: OverrideRecords,
  news: Iterable<OverrideRecord>,
): OverrideRecords {
  const merged = new Map(known);
  let changed = false;
  for (const record of news) {
    const key = overrideKey(record);
    const before = merged.get(key);
    if (before !== undefined && !isLater(record, before)) continue;
    merged.set(key, record);
    changed = true;
  }
  return changed ? merged : known;
}

/**
 * A record that wins over what is known of its register, also when the clock of the other director
 * is ahead.
 */
export function nextRecord(
  known: OverrideRecords,
  record: Omit<OverrideRecord, 'atUnixMs'>,
  nowUnixMs: number,
): OverrideRecord {
  const before = known.get(overrideKey(record));
  return { ...record, atUnixMs: Math.max(nowUnixMs, (before?.atUnixMs ?? -1) + 1) };
}

/**
 * Forgets what was taken back long ago, and beyond the bound what was taken back first. Records
 * that hold are kept, and only when they alone are too many the oldest of them go.
 */
export function pruneOverrides(records: OverrideRecords, nowUnixMs: number): OverrideRecords {
  const isFresh = ({ holds, atUnixMs }: OverrideRecord): boolean =>
    holds || atUnixMs > nowUnixMs - tombstoneAgeMaxMs;
  const kept = [...records.values()].filter(isFresh);
  if (kept.length === records.size && kept.length <= overridesMax) return records;
  const byWorth = kept.toSorted(
    (left, right) => Number(right.holds) - Number(left.holds) || right.atUnixMs - left.atUnixMs,
  );
  return indexOverrides(byWorth.slice(0, overridesMax));
}

/** What holds for each server. Of several, being out of service comes before a weight. */
export function effectiveOverrides(
  records: OverrideRecords,
): ReadonlyMap<ServerId, ServerOverride> {
  const leading = new Map<ServerId, OverrideRecord>();
  for (const record of records.values()) {
    if (!record.holds || kindOf(record) === undefined) continue;
    const before = leading.get(record.server);
    if (before === undefined || precedes(record, before)) leading.set(record.server, record);
  }
  return new Map(
    [...leading].map(([server, record]) => {
      const { user, reason, node, atUnixMs } = record;
      const kind = kindOf(record) ?? 'drain';
      const weight = kind === 'weight' ? record.weight : 0;
      return [server, { kind, weight, user, reason, node, sinceUnixMs: atUnixMs }];
    }),
  );
}

function kindOf({ kind }: OverrideRecord): OverrideKind | undefined {
  return overrideKinds.find((known) => known === kind);
}

/** Whether the operator has taken the server out of service. */
export function isTakenOut(override: ServerOverride | undefined): boolean {
  return override !== undefined && override.kind !== 'weight';
}

/** Earlier kinds of this list come before later ones. */
const precedence: readonly OverrideKind[] = ['maintain', 'file', 'drain', 'weight'];

/** Equal kinds are files of two nodes; the order of the map must not decide between them. */
function precedes(record: OverrideRecord, before: OverrideRecord): boolean {
  const rankOf = (each: OverrideRecord): number => precedence.indexOf(kindOf(each) ?? 'weight');
  const rank = rankOf(record) - rankOf(before);
  if (rank !== 0) return rank < 0;
  if (record.atUnixMs !== before.atUnixMs) return record.atUnixMs < before.atUnixMs;
  return overrideKey(record) < overrideKey(before);
}

/**
 * A total order of the values of one register: by time, then by node, then by all that is left, so
 * that two directors never keep different ones.
 */
function isLater(record: OverrideRecord, before: OverrideRecord): boolean {
  if (record.atUnixMs !== before.atUnixMs) return record.atUnixMs > before.atUnixMs;
  if (record.node !== before.node) return record.node > before.node;
  return contentText(record) > contentText(before);
}

function contentText({ holds, weight, user, reason }: OverrideRecord): string {
  return JSON.stringify([holds, weight, user, reason]);
}
