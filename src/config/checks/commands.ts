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

type HookDraft = NonNullable<NonNullable<RootDraft['hooks']>[number]>;

/** All cross checks of hooks. */
export function checkHooks(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const names = new FirstOwners<number>();
  const routers = (draft.virtualRouters ?? []).map((router) => router?.name);
  const groups = (draft.syncGroups ?? []).map((group) => group?.name);
  const services = (draft.services ?? []).map((service) => service?.name);
  for (const [index, hook] of present(draft.hooks)) {
    const path = ['hooks', index];
    findings.push(
      ...checkCommand([...path, 'command'], hook.command),
      ...checkNames([...path, 'routers'], hook.routers, routers, 'virtual router'),
      ...checkNames([...path, 'groups'], hook.groups, groups, 'sync group'),
      ...checkNames([...path, 'services'], hook.services, services, 'service'),
      ...checkOccasions(path, hook, draft),
    );
    const { name } = hook;
    const earlier = name === undefined ? undefined : names.claim(name, index);
    if (earlier === undefined) continue;
    const message = `hooks[${earlier}] is called ${name} already`;
    findings.push(errorAt([...path, 'name'], message, 'give each hook its own name'));
  }
  return findings;
}

/** An occasion that nothing in the hook can bring about is a mistake. */
function checkOccasions(path: ConfigPath, hook: HookDraft, draft: RootDraft): readonly Finding[] {
  const { on, services } = hook;
  const here = [...path, 'on'];
  const ofServices = present(on).filter(([, each]) => /^(quorum|server)-/.test(each));
  if (services === undefined) {
    // The default has some of both; only somebody who wrote the server's means services.
    const written = ofServices.find(([, each]) => each.startsWith('server-'));
    if (written === undefined) return [];
    const message = `${written[1]} never comes without \`services\``;
    return [errorAt([...here, written[0]], message, 'name the services: services: [web]')];
  }
  if (on !== undefined && ofServices.length === 0) {
    const hint = 'quorum-met, quorum-lost, server-up, server-down';
    return [errorAt(here, 'has nothing that a service does', hint)];
  }
  const quorumOnly = ofServices.every(([, each]) => each.startsWith('quorum-'));
  if (!quorumOnly) return [];
  return present(services).flatMap(([index, name]) => {
    const service = present(draft.services).find(([, each]) => each.name === name)?.[1];
    if (service === undefined || service.health.quorum !== undefined) return [];
    const message = `${name} has no quorum, so this hook is never called for it`;
    const hint = 'give it `health: { quorum: { min: 1 } }`, or use server-up and server-down';
    return [errorAt([...path, 'services', index], message, hint)];
  });
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
