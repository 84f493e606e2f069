/**
 * What an operator has set for a server over the configuration, as both directors keep it and tell
 * each other. The same shape is in the state file and in the message of the peer channel.
 */
import {
  boolean,
  integer,
  list,
  plainText,
  record,
  type ShapeValue,
  text,
} from './peerMessageShape.js';

/**
 * The ways to take a server out, and the weight that replaces the configured one. `file` is
 * maintenance by a file in the maintenance folder of one node.
 */
export const overrideKinds = ['drain', 'maintain', 'file', 'weight'] as const;

/** A value of {@link overrideKinds}. */
export type OverrideKind = (typeof overrideKinds)[number];

/**
 * Records that a director keeps at most: those that hold and those that were taken back, which are
 * remembered so that the peer learns of it.
 */
export const overridesMax = 4096;

/** Longest reason, in UTF-16 units. */
export const reasonLengthMax = 200;

/** Longest name of a user, in UTF-16 units. */
export const userLengthMax = 64;

/** Largest weight of a server; the kernel refuses more. */
export const weightMax = 2_147_483_647;

/** One record. */
export const overrideRecordShape = record({
  /** The server as the status names it: `service/address:port`. */
  server: text(160),
  /** One of {@link overrideKinds}; a newer peer may have more, which have no effect here. */
  kind: text(32),
  /** The node whose maintenance folder has the file; empty for the other kinds. */
  folderOf: text(63),
  /** False: it was taken back. The record stays for a while, so that the peer hears of it. */
  holds: boolean(),
  /** The weight of kind `weight`; 0 otherwise. */
  weight: integer(0, weightMax),
  /** When it was set or taken back, by the clock of `node`, in Unix milliseconds. */
  atUnixMs: integer(0, Number.MAX_SAFE_INTEGER),
  /** The node on which that was done. */
  node: text(63),
  user: plainText(userLengthMax),
  reason: plainText(reasonLengthMax),
});

/** See {@link overrideRecordShape}. */
export type OverrideRecord = ShapeValue<typeof overrideRecordShape>;

/** All records of a director. */
export const overrideRecordsShape = list(overrideRecordShape, overridesMax);
