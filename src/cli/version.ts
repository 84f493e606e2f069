/** The version of this installation. */
import { readFileSync } from 'node:fs';
import { scriptUrl } from '../scripts.js';

/** The version in package.json, which lies beside `dist` and above the `src` of a test build. */
export function packageVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const text = readFileSync(new URL(path, scriptUrl('main')), 'utf8');
      return String((JSON.parse(text) as { version?: unknown }).version);
    } catch {
      // The other place is tried next.
    }
  }
  return 'unknown';
}
