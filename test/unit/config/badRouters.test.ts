import { type BadInput, testBadInputs } from './soundConfig.js';

const manyAddresses = Array.from({ length: 4097 }, (_, index) => `10.0.${index}.1/24`).join(', ');

const badInputs: readonly BadInput[] = [
  {
    title: 'a priority for a node that is not there',
    changes: [['lb2: 100', 'lb3: 100']],
    problems: [
      ['8:15 virtualRouters[0].priority', 'lacks a value for lb2', 'give one for every node'],
      ['8:27 virtualRouters[0].priority.lb3', 'there is no node lb3', 'did you mean lb2?'],
    ],
  },
  {
    title: 'a priority for a node that has nothing near',
    changes: [['lb2: 100', 'lb2: 100, spare: 5']],
    problems: [
      ['8:37 virtualRouters[0].priority.spare', 'there is no node spare', 'the nodes are lb1, lb2'],
    ],
  },
  {
    title: 'an interface that is not given for every node',
    changes: [['interface: eth1', 'interface: { lb1: eth1 }']],
    problems: [
      ['12:16 virtualRouters[1].interface', 'lacks a value for lb2', 'give one for every node'],
    ],
  },
  {
    title: 'a sync interface for a node that is not there',
    changes: [
      [
        'cluster: web',
        'cluster: web\nconnectionSync: { mode: kernel, interface: { lb1: eth1, lb2: ' +
          'eth1, lb9: eth1 } }',
      ],
    ],
    problems: [
      ['2:68 connectionSync.interface.lb9', 'there is no node lb9', 'the nodes are lb1, lb2'],
    ],
  },
  {
    title: 'two nodes with one address',
    changes: [['172.25.254.102', '172.25.254.101']],
    problems: [
      [
        '4:19 nodes.lb2.address',
        '172.25.254.101 is the address of node lb1 already',
        'each node has its own',
      ],
    ],
  },
  {
    title: 'one VRID twice on an interface',
    changes: [['vrid: 52\n    interface: eth1', 'vrid: 51']],
    problems: [
      [
        '11:11 virtualRouters[1].vrid',
        '51 is used by virtual router outside on eth0 of lb1',
        'a VRID is unique on an interface',
      ],
    ],
  },
  {
    title: 'one VRID twice on an interface of one node only',
    changes: [
      ['vrid: 52\n    interface: eth1', 'vrid: 51\n    interface: { lb1: eth1, lb2: eth0 }'],
    ],
    problems: [
      [
        '11:11 virtualRouters[1].vrid',
        '51 is used by virtual router outside on eth0 of lb2',
        'a VRID is unique on an interface',
      ],
    ],
  },
  {
    title: 'two virtual routers of one name',
    changes: [
      ['name: inside', 'name: outside'],
      ['members: [outside, inside]', 'members: [outside]'],
    ],
    problems: [
      [
        '10:11 virtualRouters[1].name',
        'virtualRouters[0] is called outside already',
        'give each virtual router its own name',
      ],
    ],
  },
  {
    title: 'one address in two virtual routers',
    changes: [['192.168.0.100/24', '172.25.254.100/24']],
    problems: [
      [
        '14:17 virtualRouters[1].addresses[0]',
        '172.25.254.100 is held by virtual router outside already',
        'an address is in one virtual router',
      ],
    ],
  },
  {
    title: 'one address twice in a virtual router',
    changes: [['[192.168.0.100/24]', '[192.168.0.100/24, 192.168.0.100/32]']],
    problems: [
      [
        '14:35 virtualRouters[1].addresses[1]',
        '192.168.0.100 is held by virtual router inside already',
        'an address is in one virtual router',
      ],
    ],
  },
  {
    title: 'more addresses than a virtual router has room for',
    changes: [['[192.168.0.100/24]', `[${manyAddresses}]`]],
    problems: [['14:16 virtualRouters[1].addresses', 'must have at most 4096 elements, got 4097']],
  },
  {
    title: "a node's own address as a virtual one",
    changes: [
      ['172.25.254.100/24', '172.25.254.101/24'],
      ['tcp://172.25.254.100:80', 'tcp://192.168.0.100:80'],
    ],
    problems: [
      [
        '9:17 virtualRouters[0].addresses[0]',
        '172.25.254.101 is the own address of node lb1, whose priority is 150',
        'take another address, or give lb1 priority 255',
      ],
    ],
  },
  {
    title: 'a sync group of a router that is not there',
    changes: [['[outside, inside]', '[outside, insdie]']],
    problems: [
      [
        '16:38 syncGroups[0].members[1]',
        'there is no virtual router insdie',
        'did you mean inside?',
      ],
    ],
  },
  {
    title: 'a router in two sync groups',
    changes: [
      ['[outside, inside] }', '[outside, inside] }\n  - { name: other, members: [inside] }'],
    ],
    problems: [
      [
        '17:30 syncGroups[1].members[0]',
        'inside is in sync group edge already',
        'a virtual router is in one group at most',
      ],
    ],
  },
  {
    title: 'two sync groups of one name',
    changes: [['[outside, inside] }', '[outside] }\n  - { name: edge, members: [inside] }']],
    problems: [
      [
        '17:13 syncGroups[1].name',
        'syncGroups[0] is called edge already',
        'give each group its own name',
      ],
    ],
  },
  {
    title: 'a router twice in a sync group',
    changes: [['[outside, inside]', '[outside, inside, outside]']],
    problems: [
      [
        '16:46 syncGroups[0].members[2]',
        'outside is in sync group edge already',
        'a virtual router is in one group at most',
      ],
    ],
  },
];

testBadInputs(badInputs);
