/** What a command line of `tandem ipvs` asks for, as values. */
import type {
  IpvsOperation,
  IpvsTimeouts,
  ServiceIdentity,
  SyncDaemon,
  SyncDaemonRole,
} from '../../wire/ipvsModel.js';

/** Which columns a listing of the table has. */
export type ListColumns =
  | 'default'
  | 'statistics'
  | 'rates'
  | 'thresholds'
  | 'persistent-connections'
  | 'tunnels';

/** How a listing is printed. */
export interface ListFormat {
  readonly columns: ListColumns;
  /** Addresses and ports as numbers instead of names. */
  readonly numeric: boolean;
  /** Whole numbers instead of K, M, G and T. */
  readonly exact: boolean;
  /** False: in the kernel's order. */
  readonly sorted: boolean;
}

/** One command of ipvsadm, read and checked. */
export type IpvsCommand =
  | { readonly kind: 'change'; readonly operation: IpvsOperation }
  | { readonly kind: 'clear' }
  | { readonly kind: 'restore' }
  | { readonly kind: 'save'; readonly format: ListFormat }
  | {
      readonly kind: 'list';
      readonly format: ListFormat;
      /** Absent: the whole table. */
      readonly service?: ServiceIdentity;
    }
  | {
      readonly kind: 'list-connections';
      readonly numeric: boolean;
      /** Persistence engines and their data as two more columns. */
      readonly engineData: boolean;
    }
  | { readonly kind: 'list-timeouts' }
  | { readonly kind: 'list-daemons' }
  | { readonly kind: 'zero'; readonly service?: ServiceIdentity }
  | { readonly kind: 'set-timeouts'; readonly timeouts: IpvsTimeouts }
  | { readonly kind: 'start-daemon'; readonly daemon: SyncDaemon }
  | { readonly kind: 'stop-daemon'; readonly role: SyncDaemonRole }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' };

/** What this program has beyond ipvsadm. */
export interface CommandExtras {
  /** Change what a running agent owns all the same. */
  readonly force: boolean;
  /** Listings as JSON. */
  readonly json: boolean;
  /** Repeat a listing after this many milliseconds. Absent: list once. */
  readonly watchIntervalMs?: number;
  /** Where to look for a running agent instead of at the usual place. */
  readonly socketPath?: string;
}

/** The exit statuses of ipvsadm, which scripts compare with. */
export const exitStatus = {
  done: 0,
  /** A listing failed. */
  listingFailed: 1,
  /** The command line was read and is not valid. */
  invalid: 2,
  /** The kernel refused, or the command line could not be read at all: -1 in ipvsadm. */
  refused: 255,
} as const;

/** A command line that is not to be carried out. */
export interface CommandRefusal {
  readonly kind: 'refused';
  readonly message: string;
  readonly exitStatus: typeof exitStatus.invalid | typeof exitStatus.refused;
}

/** What became of reading a command line. */
export type ParsedCommandLine =
  | { readonly kind: 'command'; readonly command: IpvsCommand; readonly extras: CommandExtras }
  | CommandRefusal;
