import { TandemError } from '../errors.js';

/** An eventfd; its number may be handed to other threads. */
export interface WakeEvent {
  readonly fd: number;
  close(): void;
}
export function createWakeEvent(): WakeEvent {
  throw new TandemError('INTERNAL', 'not written yet');
}
export function signalWakeEvent(fd: number): void {
  throw new TandemError('INTERNAL', `not written yet ${fd}`);
}
export function drainWakeEvent(fd: number): void {
  throw new TandemError('INTERNAL', `not written yet ${fd}`);
}
