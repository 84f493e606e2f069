/** Reads a command line of ipvsadm: grammar, rules and defaults of version 1.31. Pure. */

import { type Draft, emptyDraft, optionTakers, takeTimeout } from './draft.js';
import { buildCommand } from './draftCommand.js';
import {
  type CommandExtras,
  type CommandRefusal,
  exitStatus,
  type ParsedCommandLine,
} from './model.js';
import type { NameLookup } from './names.js';
import { parseInteger } from './numberText.js';
import { brokenRule } from './optionRules.js';
import {
  type CommandTag,
  commandRules,
  commandSpellings,
  type ExtraTag,
  extraSpellings,
  type OptionTag,
  optionSpellings,
  type RuleOption,
  ruleOptionOf,
} from './options.js';
import { parseSchedulerFlags } from './schedulerFlagNames.js';
import { type ReadOption, spellingTable, WordReader } from './wordReader.js';

type AnyTag = CommandTag | OptionTag | ExtraTag;

/** Time between two listings under `--watch`, unless it says otherwise. */
const watchIntervalMsDefault = 1_000;
const watchSecondsMax = 3_600;

const spellings = spellingTable<AnyTag>([
  ...commandSpellings,
  ...optionSpellings,
  ...extraSpellings,
]);
const commandTags = new Set<string>(commandSpellings.map(({ tag }) => tag));
const extraTags = new Set<string>(extraSpellings.map(({ tag }) => tag));

/** Options that may be repeated, because to ipvsadm they are not options of its rules. */
const uncounted: ReadonlySet<OptionTag> = new Set(['ipv6', 'sort']);

/**
 * Reads the words after the name of the program. No word at all lists the table. The first option
 * says what to do; what is wrong is told in ipvsadm's words and with its exit statuses.
 */
export function parseCommandLine(words: readonly string[], names: NameLookup): ParsedCommandLine {
  const extras = new ExtrasDraft();
  const reader = new WordReader<AnyTag>(words, spellings);
  const first = nextBesideExtras(reader, extras);
  if ('message' in first) return first;
  if (first.kind === 'end' && reader.leftovers.length === 0) {
    return buildCommand('list', emptyDraft(), extras.value());
  }
  if (first.kind !== 'option' || !isCommand(first.tag)) return tryHelp;
  if (first.tag === 'help' || first.tag === 'version') {
    return { kind: 'command', command: { kind: first.tag }, extras: extras.value() };
  }
  const draft = emptyDraft();
  const problem =
    takeRole(draft, first.tag, first.value) ??
    readOptions(reader, draft, extras, names) ??
    takeArguments(draft, first.tag, reader.leftovers) ??
    checkFlags(draft) ??
    refuse(brokenRule(commandRules[first.tag], draft.given, `'${first.tag}' command`));
  return problem ?? buildCommand(first.tag, draft, extras.value());
}

/** The answer to a command line that names no command. */
export const tryHelp: CommandRefusal = {
  kind: 'refused',
  message: "Try `ipvsadm -h' or 'ipvsadm --help' for more information.",
  exitStatus: exitStatus.refused,
};

function isCommand(tag: AnyTag): tag is CommandTag {
  return commandTags.has(tag);
}

function isExtra(tag: AnyTag): tag is ExtraTag {
  return extraTags.has(tag);
}

/** The refusal of a command line that was read and is not valid, if there is something to say. */
function refuse(message: string | undefined): CommandRefusal | undefined {
  if (message === undefined) return undefined;
  return { kind: 'refused', message, exitStatus: exitStatus.invalid };
}

function nextBesideExtras(
  reader: WordReader<AnyTag>,
  extras: ExtrasDraft,
): ReadOption<AnyTag> | CommandRefusal {
  for (;;) {
    const option = reader.next();
    if (option.kind !== 'option' || !isExtra(option.tag)) return option;
    const problem = refuse(extras.take(option.tag, option.value));
    if (problem !== undefined) return problem;
  }
}

function readOptions(
  reader: WordReader<AnyTag>,
  draft: Draft,
  extras: ExtrasDraft,
  names: NameLookup,
): CommandRefusal | undefined {
  for (;;) {
    const option = nextBesideExtras(reader, extras);
    if ('message' in option) return option;
    if (option.kind === 'end') return undefined;
    if (option.kind === 'error') {
      const message = `${option.word}: ${option.reason}`;
      return { kind: 'refused', message, exitStatus: exitStatus.refused };
    }
    const { tag } = option;
    if (isCommand(tag) || isExtra(tag)) return refuse(`invalid option \`${option.word}'`);
    const problem = takeOption(draft, tag, option.value ?? '', names);
    if (problem !== undefined) return refuse(problem);
  }
}

function takeOption(
  draft: Draft,
  tag: OptionTag,
  value: string,
  names: NameLookup,
): string | undefined {
  if (!uncounted.has(tag)) {
    const rule = (ruleOptionOf[tag] ?? tag) as RuleOption;
    if (draft.given.has(rule)) return `multiple '${rule}' options specified`;
    draft.given.add(rule);
  }
  return optionTakers[tag]?.(draft, value, names);
}

function takeRole(
  draft: Draft,
  command: CommandTag,
  value: string | undefined,
): CommandRefusal | undefined {
  if (command !== 'start-daemon' && command !== 'stop-daemon') return undefined;
  if (value === 'master' || value === 'backup') {
    draft.daemonRole = value;
    return undefined;
  }
  const name = command === 'start-daemon' ? 'start-daemon parameter' : 'start_daemon';
  return refuse(`illegal ${name} specified`);
}

function takeArguments(
  draft: Draft,
  command: CommandTag,
  words: readonly string[],
): CommandRefusal | undefined {
  if (command !== 'set') {
    return refuse(words[0] === undefined ? undefined : `unexpected argument ${words[0]}`);
  }
  const [tcp, tcpFin, udp, more] = words;
  if (tcp === undefined || tcpFin === undefined || udp === undefined) {
    return refuse('--set option requires 3 timeout values');
  }
  const seconds: number[] = [];
  for (const word of [tcp, tcpFin, udp]) {
    const problem = takeTimeout(word, 0, (value) => seconds.push(value));
    if (problem !== undefined) return refuse(problem);
  }
  const [tcpSeconds = 0, tcpFinSeconds = 0, udpSeconds = 0] = seconds;
  draft.timeouts = { tcpSeconds, tcpFinSeconds, udpSeconds };
  return refuse(more === undefined ? undefined : `unexpected argument ${more}`);
}

/** The flags are read last, because the scheduler that they belong to may stand after them. */
function checkFlags(draft: Draft): CommandRefusal | undefined {
  if (draft.schedulerFlags === '') return undefined;
  const mask = parseSchedulerFlags(draft.scheduler, draft.schedulerFlags);
  return refuse(typeof mask === 'string' ? mask : undefined);
}

/** The options of this program alone, half read. */
class ExtrasDraft {
  #force = false;
  #json = false;
  #watchIntervalMs: number | undefined;
  #socketPath: string | undefined;

  take(tag: ExtraTag, value: string | undefined): string | undefined {
    switch (tag) {
      case 'force':
        this.#force = true;
        return undefined;
      case 'json':
        this.#json = true;
        return undefined;
      case 'socket':
        this.#socketPath = value;
        return undefined;
      case 'watch': {
        const seconds = value === undefined ? undefined : parseInteger(value, 1, watchSecondsMax);
        if (value !== undefined && seconds === undefined) {
          return `--watch takes 1 to ${watchSecondsMax} seconds, got ${value}`;
        }
        this.#watchIntervalMs = seconds === undefined ? watchIntervalMsDefault : seconds * 1000;
        return undefined;
      }
    }
  }

  value(): CommandExtras {
    return {
      force: this.#force,
      json: this.#json,
      ...(this.#watchIntervalMs === undefined ? {} : { watchIntervalMs: this.#watchIntervalMs }),
      ...(this.#socketPath === undefined ? {} : { socketPath: this.#socketPath }),
    };
  }
}
