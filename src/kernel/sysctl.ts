import { TandemError } from '../errors.js';

export function readSysctl(name: string): string {
  throw new TandemError('INTERNAL', `not written yet ${name}`);
}
export function writeSysctl(name: string, value: string | number): void {
  throw new TandemError('INTERNAL', `not written yet ${name} ${value}`);
}
