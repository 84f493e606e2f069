/** Whether the options of a command line go together. Pure. */
import { type OptionRules, type RuleOption, ruleOptions } from './options.js';

/**
 * The first rule that the given options break, as ipvsadm words it; `undefined` when none is.
 * `place` is where the rules come from: `'add-service' command`, `'gue' tunnel type`.
 */
export function brokenRule(
  rules: OptionRules,
  given: ReadonlySet<RuleOption>,
  place: string,
  among: readonly RuleOption[] = ruleOptions,
): string | undefined {
  let chosen: RuleOption | undefined;
  for (const option of among) {
    if (!given.has(option)) {
      if (rules.required?.includes(option) !== true) continue;
      return `You need to supply the '${option}' option for the ${place}`;
    }
    if (rules.required?.includes(option) || rules.optional?.includes(option)) continue;
    if (rules.oneOf?.includes(option) !== true) {
      return `Illegal '${option}' option with the ${place}`;
    }
    if (chosen !== undefined) {
      return `The option '${option}' conflicts with the '${chosen}' option in the ${place}`;
    }
    chosen = option;
  }
  return undefined;
}
