/** Writes `docs/reference/errors.md`: pure, from the table of error codes to Markdown. */
import { markdownTable } from '../config/document.js';
import { errorTable } from '../errors.js';

const introduction = `# Errors

<!-- Generated from src/errors.ts by \`npm run docs\`. A test keeps it current. -->

Every command that fails prints one message and one hint, and ends with an exit code: 1 the
operation failed, 2 the command line or the configuration is not right. The codes below are stable;
programs find them in JSON output and in the log.`;

/** The whole document. */
export function errorsDocument(): string {
  const rows = Object.entries(errorTable).map(([code, { summary, hint, exitCode }]) => [
    `\`${code}\``,
    String(exitCode),
    summary,
    hint,
  ]);
  const table = markdownTable(['Code', 'Exit code', 'What happened', 'What to do'], rows);
  return `${introduction}\n\n${table}\n`;
}
