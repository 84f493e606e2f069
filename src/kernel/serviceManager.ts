import { TandemError } from '../errors.js';

export interface ServiceNotice {
  readonly ready?: boolean;
  readonly stopping?: boolean;
  readonly reloading?: boolean;
  readonly status?: string;
  readonly watchdog?: boolean;
}
/** Tells the service manager; false when none listens. */
export function notifyServiceManager(notice: ServiceNotice): boolean {
  throw new TandemError('INTERNAL', `not written yet ${notice.status}`);
}
/** How often the watchdog must be fed at the latest, or `undefined` when there is none. */
export function watchdogIntervalMs(): number | undefined {
  throw new TandemError('INTERNAL', 'not written yet');
}
