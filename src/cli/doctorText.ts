/** What `tandem doctor` found, as a person reads it. Pure. */
import type { Finding } from '../doctor/findings.js';
import type { Painter } from './table.js';

/** Lines for the terminal. */
export function doctorText(
  findings: readonly Finding[],
  notLookedAt: readonly string[],
  paint: Painter,
): readonly string[] {
  const unseen = notLookedAt.map((what) => paint('dim', `not looked at: ${what}`));
  if (findings.length === 0)
    return [paint('good', 'Nothing is wrong, as far as this shows.'), ...unseen];
  const count = findings.length === 1 ? '1 thing is wrong' : `${findings.length} things are wrong`;
  const title = findings.length === 1 ? `${count}.` : `${count}, the likeliest first.`;
  return [
    paint('title', title),
    ...findings.flatMap((one, at) => findingLines(one, at, paint)),
    ...unseen,
  ];
}

function findingLines(finding: Finding, at: number, paint: Painter): readonly string[] {
  const { id, severity, what, seen, todo } = finding;
  const tone = severity === 'fault' ? 'bad' : 'warn';
  return [
    '',
    `${paint(tone, `${at + 1}. ${what}`)} ${paint('dim', `[${id}]`)}`,
    ...labelled('seen', seen),
    ...labelled('do', todo),
  ];
}

function labelled(label: string, texts: readonly string[]): readonly string[] {
  return texts.map((text, at) => `   ${(at === 0 ? `${label}:` : '').padEnd(6)}${text}`);
}
