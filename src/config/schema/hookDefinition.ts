/** Keys of `hooks`. */
import { commandType, userType } from './commandTypes.js';
import { listOf } from './containerTypes.js';
import { optional, required, withDefault } from './definition.js';
import { mappingOf } from './mappingReader.js';
import { partName } from './routerDefinition.js';
import { duration, oneOf } from './scalarTypes.js';

const routerOccasions = ['active', 'backup', 'initialize', 'fault', 'stop'] as const;
const serviceOccasions = ['quorum-met', 'quorum-lost', 'server-up', 'server-down'] as const;

const occasion = oneOf([...routerOccasions, ...serviceOccasions], {
  master: `must be one of ${routerOccasions.join(', ')}, got master: write active`,
  quorum_up: 'must be quorum-met, got quorum_up: write quorum-met',
  quorum_down: 'must be quorum-lost, got quorum_down: write quorum-lost',
});

const defaultOccasions = ['active', 'backup', 'initialize', 'quorum-met', 'quorum-lost'] as const;

/** One element of `hooks`. */
export const hookType = mappingOf({
  name: required(partName, { doc: 'Names the hook in logs and status. Unique.' }),
  on: withDefault(listOf(occasion, { min: 1, max: 9 }), defaultOccasions, {
    doc:
      'The states whose beginning calls it. `initialize` is each of `fault` (interface lost, ' +
      'tracker failed) and `stop` (agent stopped, router no longer configured). The last four ' +
      'are for `services`.',
  }),
  command: required(commandType, {
    doc: 'A program by its absolute path, then its arguments. No shell is involved.',
  }),
  user: optional(userType, { doc: 'Who it runs as.', meaning: 'the user of the agent' }),
  timeout: withDefault(duration({ minMs: 100, maxMs: 600_000 }), '10s', {
    doc: 'After this the program and all that it has started are ended.',
  }),
  style: withDefault(oneOf(['environment', 'keepalived']), 'environment', {
    doc:
      '`environment` tells everything in variables. `keepalived` adds the four arguments of its ' +
      'notify scripts as well: INSTANCE or GROUP, name, MASTER, BACKUP, FAULT or STOP, priority.',
  }),
  routers: optional(listOf(partName, { min: 1, max: 255 }), {
    doc: 'Names of the virtual routers whose changes call it.',
    meaning: 'all, unless there are `groups` or `services`',
  }),
  groups: optional(listOf(partName, { min: 1, max: 255 }), {
    doc: 'Names of the sync groups whose changes call it, once for the whole group.',
    meaning: 'none',
  }),
  services: optional(listOf(partName, { min: 1, max: 4096 }), {
    doc: 'Names of the services whose quorum and servers call it.',
    meaning: 'none',
  }),
});
