import { type BadInput, testBadInputs } from './soundConfig.js';

const withKey = (line: string): BadInput['changes'] => [['cluster: web', `cluster: web\n${line}`]];
const inRouter = (line: string): BadInput['changes'] => [['vrid: 51', `vrid: 51\n    ${line}`]];

const badInputs: readonly BadInput[] = [
  {
    title: 'an accept mode that would need a firewall',
    changes: inRouter('acceptMode: false'),
    problems: [
      [
        '8:17 virtualRouters[0].acceptMode',
        'must be true: Tandem sets no firewall rules that would drop packets to the addresses',
        'IPVS needs them accepted; drop what is not wanted with rules of your own',
      ],
    ],
  },
  {
    title: 'a startup delay without a unit',
    changes: inRouter('startupDelay: 30'),
    problems: [
      ['8:19 virtualRouters[0].startupDelay', 'needs a unit, got 30', 'for example 30s or 30ms'],
    ],
  },
  {
    title: 'a scheduler that is not offered',
    changes: withKey('realtime: { scheduler: fifo }'),
    problems: [['2:24 realtime.scheduler', 'must be one of auto, none, round-robin, got fifo']],
  },
  {
    title: 'a real-time priority out of range',
    changes: withKey('realtime: { priority: 100 }'),
    problems: [['2:23 realtime.priority', 'must be at most 99, got 100']],
  },
  {
    title: 'no processor at all',
    changes: withKey('realtime: { cpus: [] }'),
    problems: [['2:19 realtime.cpus', 'must have at least one element']],
  },
];

testBadInputs(badInputs);
