/** What the status says of the machine itself: our firewall rules and kernel settings. Pure. */
import type { StatusDocument } from '../api/statusModel.js';
import type { Painter } from './table.js';

/** Lines for the foot of the status; none when there is nothing to tell. */
export function hostLines({ host }: StatusDocument, paint: Painter): readonly string[] {
  const lines: string[] = [];
  if (host.firewall !== null) {
    const repairs = host.repairs === 0 ? '' : `, put back ${host.repairs} times`;
    lines.push(`firewall: ${host.rules} rules in ${host.firewall}${repairs}`);
  }
  if (host.lastError !== null) lines.push(paint('bad', `firewall: ${host.lastError}`));
  for (const { setting, found, wanted, level, why } of host.settings) {
    if (level === 'advised') continue;
    lines.push(paint('bad', `${setting} is ${found ?? 'missing'}, should be ${wanted}: ${why}`));
  }
  return lines;
}
