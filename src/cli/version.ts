/** The version of this installation. */
import { readFileSync } from 'node:fs';

/** The version in package.json, which lies beside `dist` and two folders above a test build. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), 'utf8');
      return String((JSON.parse(text) as { version?: unknown }).version);
    } catch {
      // The other place is tried next.
    }
  }
  return 'unknown';
}
