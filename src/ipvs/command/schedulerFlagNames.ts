/** The names of a scheduler's own flags (IP_VS_SVC_F_SCHED1..3), as ipvsadm writes them. Pure. */

interface FlagName {
  readonly name: string;
  readonly bit: 1 | 2 | 4;
  /** Absent: for every scheduler. */
  readonly scheduler?: 'sh' | 'mh';
}

const flagNames: readonly FlagName[] = [
  { name: 'flag-1', bit: 1 },
  { name: 'flag-2', bit: 2 },
  { name: 'flag-3', bit: 4 },
  { name: 'sh-fallback', bit: 1, scheduler: 'sh' },
  { name: 'sh-port', bit: 2, scheduler: 'sh' },
  { name: 'mh-fallback', bit: 1, scheduler: 'mh' },
  { name: 'mh-port', bit: 2, scheduler: 'mh' },
];

/** The flags of a comma list as a bit mask, or what is wrong with it in ipvsadm's words. */
export function parseSchedulerFlags(scheduler: string, text: string): number | string {
  let mask = 0;
  for (const name of text.split(',').filter((part) => part !== '')) {
    const flag = flagNames.find((entry) => entry.name === name);
    if (flag === undefined) return `invalid scheduler flag \`${name}'`;
    if (flag.scheduler !== undefined && flag.scheduler !== scheduler) {
      return `incompatible scheduler flag \`${name}'`;
    }
    mask |= flag.bit;
  }
  return mask;
}

/** The names of the flags that are set, in the words of the scheduler that they belong to. */
export function schedulerFlagList(scheduler: string, mask: number): readonly string[] {
  const own = flagNames.filter((flag) => flag.scheduler === scheduler);
  const vocabulary = own.length > 0 ? own : flagNames.filter((flag) => !flag.scheduler);
  return vocabulary.filter((flag) => (mask & flag.bit) !== 0).map((flag) => flag.name);
}
