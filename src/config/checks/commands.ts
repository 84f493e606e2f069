/** Cross checks of commands and of `hooks`. */
import { didYouMean } from '../closestWord.js';
import { type ConfigPath, errorAt, type Finding } from '../problem.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { FirstOwners, present } from './present.js';

/** No shell looks for the program, so its path must be whole. */
export function checkCommand(
  path: ConfigPath,
  command: readonly (string | undefined)[] | undefined,
): readonly Finding[] {
  const program = command?.[0];
  if (program === undefined || program.startsWith('/')) return [];
  const hint = program.includes(' ')
    ? 'make each argument an element of the list'
    : 'no shell is involved, and nothing is looked for';
  return [errorAt([...path, 0], `must be an absolute path, got ${program}`, hint)];
}

/** All cross checks of hooks. */
export function checkHooks(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const names = new FirstOwners<number>();
  const routers = (draft.virtualRouters ?? []).map((router) => router?.name);
  const groups = (draft.syncGroups ?? []).map((group) => group?.name);
  for (const [index, hook] of present(draft.hooks)) {
    const path = ['hooks', index];
    findings.push(
      ...checkCommand([...path, 'command'], hook.command),
      ...checkNames([...path, 'routers'], hook.routers, routers, 'virtual router'),
      ...checkNames([...path, 'groups'], hook.groups, groups, 'sync group'),
    );
    const { name } = hook;
    const earlier = name === undefined ? undefined : names.claim(name, index);
    if (earlier === undefined) continue;
    const message = `hooks[${earlier}] is called ${name} already`;
    findings.push(errorAt([...path, 'name'], message, 'give each hook its own name'));
  }
  return findings;
}

function checkNames(
  path: ConfigPath,
  wanted: readonly (string | undefined)[] | undefined,
  known: readonly (string | undefined)[],
  what: string,
): readonly Finding[] {
  const names = known.flatMap((name) => name ?? []);
  // One that could not be read might have the name.
  if (names.length < known.length) return [];
  return present(wanted).flatMap(([index, name]) => {
    if (names.includes(name)) return [];
    const hint = didYouMean(name, names);
    return [errorAt([...path, index], `there is no ${what} ${name}`, hint)];
  });
}
