/** Writes `docs/reference/findings.md`: pure, from the table of findings to Markdown. */
import { markdownTable } from '../config/document.js';
import { findingTable } from '../doctor/findings.js';

const introduction = `# Findings of \`tandem doctor\`

<!-- Generated from src/doctor/findings.ts by \`npm run docs\`. A test keeps it current. -->

The likeliest first, which is the order in which they are told, faults before risks. Programs find
the ids in \`tandem doctor --json\`: \`findings\` has for each \`id\`, \`severity\`, \`what\`,
\`seen\` (the evidence) and \`todo\`. A \`fault\` keeps traffic from flowing that should flow; a
\`risk\` will. The command ends with 1 when there is a finding, with 0 when there is none. What to
do about a symptom is in [troubleshooting.md](../troubleshooting.md).`;

/** The whole document. */
export function findingsDocument(): string {
  const rows = Object.entries(findingTable).map(([id, what]) => [`\`${id}\``, what]);
  return `${introduction}\n\n${markdownTable(['Id', 'What is wrong'], rows)}\n`;
}
