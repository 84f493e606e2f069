/**
 * The command line of ipvsadm 1.31 as data: its commands, its options, and which go together.
 * Parser and checks derive from these tables; man page ipvsadm(8).
 */

/** How many values an option takes; `optional`: the next word, unless it begins with a dash. */
export type ArgumentRule = 'none' | 'required' | 'optional';

/** One option as it is written. */
export interface OptionSpelling<Tag extends string = string> {
  readonly tag: Tag;
  readonly short?: string;
  readonly long?: string;
  readonly argument: ArgumentRule;
}

/** Options that begin a command line and say what it does. */
export const commandSpellings = [
  { tag: 'add-service', short: 'A', long: 'add-service', argument: 'none' },
  { tag: 'edit-service', short: 'E', long: 'edit-service', argument: 'none' },
  { tag: 'delete-service', short: 'D', long: 'delete-service', argument: 'none' },
  { tag: 'flush', short: 'C', long: 'clear', argument: 'none' },
  { tag: 'list', short: 'L', long: 'list', argument: 'none' },
  { tag: 'list', short: 'l', argument: 'none' },
  { tag: 'zero', short: 'Z', long: 'zero', argument: 'none' },
  { tag: 'add-server', short: 'a', long: 'add-server', argument: 'none' },
  { tag: 'edit-server', short: 'e', long: 'edit-server', argument: 'none' },
  { tag: 'delete-server', short: 'd', long: 'delete-server', argument: 'none' },
  { tag: 'set', long: 'set', argument: 'none' },
  { tag: 'start-daemon', long: 'start-daemon', argument: 'required' },
  { tag: 'stop-daemon', long: 'stop-daemon', argument: 'required' },
  { tag: 'restore', short: 'R', long: 'restore', argument: 'none' },
  { tag: 'save', short: 'S', long: 'save', argument: 'none' },
  { tag: 'help', short: 'h', long: 'help', argument: 'none' },
  { tag: 'version', short: 'v', long: 'version', argument: 'none' },
] as const satisfies readonly OptionSpelling[];

/** Options that follow the command. */
export const optionSpellings = [
  { tag: 'tcp-service', short: 't', long: 'tcp-service', argument: 'required' },
  { tag: 'udp-service', short: 'u', long: 'udp-service', argument: 'required' },
  { tag: 'sctp-service', long: 'sctp-service', argument: 'required' },
  { tag: 'fwmark-service', short: 'f', long: 'fwmark-service', argument: 'required' },
  { tag: 'ipv6', short: '6', long: 'ipv6', argument: 'none' },
  { tag: 'scheduler', short: 's', long: 'scheduler', argument: 'required' },
  { tag: 'persistent', short: 'p', long: 'persistent', argument: 'optional' },
  { tag: 'netmask', short: 'M', long: 'netmask', argument: 'required' },
  { tag: 'real-server', short: 'r', long: 'real-server', argument: 'required' },
  { tag: 'masquerading', short: 'm', long: 'masquerading', argument: 'none' },
  { tag: 'ipip', short: 'i', long: 'ipip', argument: 'none' },
  { tag: 'gatewaying', short: 'g', long: 'gatewaying', argument: 'none' },
  { tag: 'weight', short: 'w', long: 'weight', argument: 'required' },
  { tag: 'u-threshold', short: 'x', long: 'u-threshold', argument: 'required' },
  { tag: 'l-threshold', short: 'y', long: 'l-threshold', argument: 'required' },
  { tag: 'numeric', short: 'n', long: 'numeric', argument: 'none' },
  { tag: 'connection', short: 'c', long: 'connection', argument: 'none' },
  { tag: 'mcast-interface', long: 'mcast-interface', argument: 'required' },
  { tag: 'syncid', long: 'syncid', argument: 'required' },
  { tag: 'timeout', long: 'timeout', argument: 'none' },
  { tag: 'daemon', long: 'daemon', argument: 'none' },
  { tag: 'stats', long: 'stats', argument: 'none' },
  { tag: 'rate', long: 'rate', argument: 'none' },
  { tag: 'thresholds', long: 'thresholds', argument: 'none' },
  { tag: 'persistent-conn', long: 'persistent-conn', argument: 'none' },
  { tag: 'tun-info', long: 'tun-info', argument: 'none' },
  { tag: 'nosort', long: 'nosort', argument: 'none' },
  { tag: 'sort', long: 'sort', argument: 'none' },
  { tag: 'exact', short: 'X', long: 'exact', argument: 'none' },
  { tag: 'ops', short: 'o', long: 'ops', argument: 'none' },
  { tag: 'pe', long: 'pe', argument: 'required' },
  { tag: 'sched-flags', short: 'b', long: 'sched-flags', argument: 'required' },
  { tag: 'sync-maxlen', long: 'sync-maxlen', argument: 'required' },
  { tag: 'mcast-group', long: 'mcast-group', argument: 'required' },
  { tag: 'mcast-port', long: 'mcast-port', argument: 'required' },
  { tag: 'mcast-ttl', long: 'mcast-ttl', argument: 'required' },
  { tag: 'tun-type', long: 'tun-type', argument: 'required' },
  { tag: 'tun-port', long: 'tun-port', argument: 'required' },
  { tag: 'tun-nocsum', long: 'tun-nocsum', argument: 'none' },
  { tag: 'tun-csum', long: 'tun-csum', argument: 'none' },
  { tag: 'tun-remcsum', long: 'tun-remcsum', argument: 'none' },
] as const satisfies readonly OptionSpelling[];

/** What this program has beyond ipvsadm; allowed anywhere, with the commands that they fit. */
export const extraSpellings = [
  { tag: 'force', long: 'force', argument: 'none' },
  { tag: 'json', long: 'json', argument: 'none' },
  { tag: 'watch', long: 'watch', argument: 'optional' },
  { tag: 'socket', long: 'socket', argument: 'required' },
] as const satisfies readonly OptionSpelling[];

/** A command by the name that messages give it. */
export type CommandTag = (typeof commandSpellings)[number]['tag'];

/** An option that follows the command. */
export type OptionTag = (typeof optionSpellings)[number]['tag'];

/** An option of this program alone. */
export type ExtraTag = (typeof extraSpellings)[number]['tag'];

/**
 * What the rules speak of. Several spellings are one option to them: four kinds of service, three
 * forwarding methods. They are checked in this order, and the first that is broken is reported.
 */
export const ruleOptions = [
  'numeric',
  'connection',
  'service-address',
  'scheduler',
  'persistent',
  'netmask',
  'real-server',
  'forwarding-method',
  'weight',
  'u-threshold',
  'l-threshold',
  'mcast-interface',
  'timeout',
  'daemon',
  'stats',
  'rate',
  'thresholds',
  'persistent-conn',
  'nosort',
  'syncid',
  'exact',
  'ops',
  'pe',
  'sched-flags',
  'mcast-group',
  'mcast-port',
  'mcast-ttl',
  'sync-maxlen',
  'tun-info',
  'tun-type',
  'tun-port',
  'tun-nocsum',
  'tun-csum',
  'tun-remcsum',
] as const;

/** An option as the rules see it. */
export type RuleOption = (typeof ruleOptions)[number];

/** What the rules call a spelling, where it is not its own name. */
export const ruleOptionOf: Partial<Record<OptionTag, RuleOption | undefined>> = {
  'tcp-service': 'service-address',
  'udp-service': 'service-address',
  'sctp-service': 'service-address',
  'fwmark-service': 'service-address',
  masquerading: 'forwarding-method',
  ipip: 'forwarding-method',
  gatewaying: 'forwarding-method',
};

/** What must, may, and may not go together; of `oneOf` at most one. */
export interface OptionRules {
  readonly required?: readonly RuleOption[];
  readonly optional?: readonly RuleOption[];
  readonly oneOf?: readonly RuleOption[];
}

const serviceSettings: readonly RuleOption[] = [
  'scheduler',
  'persistent',
  'netmask',
  'ops',
  'pe',
  'sched-flags',
];
const serverSettings: readonly RuleOption[] = [
  'forwarding-method',
  'weight',
  'u-threshold',
  'l-threshold',
  'tun-type',
  'tun-port',
  'tun-nocsum',
  'tun-csum',
  'tun-remcsum',
];

/** The rules of each command that has options. */
export const commandRules: Readonly<Record<Exclude<CommandTag, 'help' | 'version'>, OptionRules>> =
  {
    'add-service': { required: ['service-address'], optional: serviceSettings },
    'edit-service': { required: ['service-address'], optional: serviceSettings },
    'delete-service': { required: ['service-address'] },
    flush: {},
    list: {
      oneOf: ['connection', 'service-address', 'timeout', 'daemon'],
      optional: [
        'numeric',
        'stats',
        'rate',
        'thresholds',
        'persistent-conn',
        'nosort',
        'syncid',
        'exact',
        'tun-info',
      ],
    },
    'add-server': { required: ['service-address', 'real-server'], optional: serverSettings },
    'delete-server': { required: ['service-address', 'real-server'] },
    'edit-server': { required: ['service-address', 'real-server'], optional: serverSettings },
    set: {},
    'start-daemon': {
      optional: [
        'mcast-interface',
        'syncid',
        'mcast-group',
        'mcast-port',
        'mcast-ttl',
        'sync-maxlen',
      ],
    },
    'stop-daemon': { optional: ['syncid'] },
    restore: {},
    save: { optional: ['numeric'] },
    zero: { optional: ['service-address'] },
  };

/** The rules of each kind of tunnel. */
export const tunnelRules: Readonly<Record<'ipip' | 'gue' | 'gre', OptionRules>> = {
  ipip: { optional: ['tun-type'] },
  gue: {
    required: ['tun-type', 'tun-port'],
    oneOf: ['tun-nocsum', 'tun-csum', 'tun-remcsum'],
  },
  gre: { required: ['tun-type'], oneOf: ['tun-nocsum', 'tun-csum'] },
};
