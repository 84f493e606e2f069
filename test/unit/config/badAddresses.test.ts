import { type BadInput, testBadInputs } from './soundConfig.js';

const badInputs: readonly BadInput[] = [
  {
    title: 'a node address that is none',
    changes: [['address: 172.25.254.101', 'address: lb1.example.com']],
    problems: [['3:19 nodes.lb1.address', 'must be an IP address, got lb1.example.com']],
  },
  {
    title: 'a node address with a prefix length',
    changes: [['address: 172.25.254.101', 'address: 172.25.254.101/24']],
    problems: [
      [
        '3:19 nodes.lb1.address',
        'must be an IP address, got 172.25.254.101/24',
        'write 172.25.254.101',
      ],
    ],
  },
  {
    title: 'a global IPv6 address before the link-local one',
    changes: [['172.25.254.100/24', '2001:db8::1/64']],
    problems: [
      [
        '9:17 virtualRouters[0].addresses[0]',
        'the first IPv6 address must be a link-local one (RFC 9568, 5.2.9), got 2001:db8::1',
        'put one before it, for example fe80::5e:33/64',
      ],
    ],
  },
  {
    title: 'a virtual address that is a network',
    changes: [['172.25.254.100/24', '172.25.254.0/24']],
    problems: [
      [
        '9:17 virtualRouters[0].addresses[0]',
        'must be the address of a host, got 172.25.254.0/24 which is the address of ' +
          'the network itself',
      ],
    ],
  },
  {
    title: 'a virtual address that is a broadcast address',
    changes: [['172.25.254.100/24', '172.25.254.255/24']],
    problems: [
      [
        '9:17 virtualRouters[0].addresses[0]',
        'must be the address of a host, got 172.25.254.255/24 which is the ' + 'broadcast address',
      ],
    ],
  },
  {
    title: 'a multicast virtual address',
    changes: [['172.25.254.100/24', '224.0.0.18/32']],
    problems: [
      ['9:17 virtualRouters[0].addresses[0]', 'must not be a multicast address, got 224.0.0.18'],
    ],
  },
  {
    title: 'a prefix length that is too long',
    changes: [['172.25.254.100/24', '172.25.254.100/33']],
    problems: [
      [
        '9:17 virtualRouters[0].addresses[0]',
        'must be an IP address with a prefix length such as 172.25.254.100/24, got ' +
          '172.25.254.100/33',
      ],
    ],
  },
  {
    title: 'an interface name that is too long',
    changes: [['interface: eth1', 'interface: averylonginterface']],
    problems: [
      [
        '12:16 virtualRouters[1].interface',
        'must be the name of a network interface (1 to 15 characters, without space ' +
          'or slash), got averylonginterface',
      ],
    ],
  },
  {
    title: 'a listener without protocol',
    changes: [['listen: tcp://172.25.254.100:80', 'listen: 172.25.254.100:80']],
    problems: [
      [
        '19:13 services[0].listen',
        'must start with tcp://, udp:// or sctp://, got 172.25.254.100:80',
        'for example tcp://172.25.254.100:80',
      ],
    ],
  },
  {
    title: 'a listener with an unknown protocol',
    changes: [['tcp://172.25.254.100:80', 'tpc://172.25.254.100:80']],
    problems: [
      [
        '19:13 services[0].listen',
        'must start with tcp://, udp:// or sctp://, got tpc://172.25.254.100:80',
        'for example tcp://172.25.254.100:80',
      ],
    ],
  },
  {
    title: 'a listener with a slash too few',
    changes: [['tcp://172.25.254.100:80', 'udp:/172.25.254.100:80']],
    problems: [
      [
        '19:13 services[0].listen',
        'must start with tcp://, udp:// or sctp://, got udp:/172.25.254.100:80',
        'for example udp://172.25.254.100:80',
      ],
    ],
  },
  {
    title: 'a listener with no slash behind its protocol',
    changes: [['tcp://172.25.254.100:80', 'tcp:172.25.254.100:80']],
    problems: [
      [
        '19:13 services[0].listen',
        'must start with tcp://, udp:// or sctp://, got tcp:172.25.254.100:80',
        'for example tcp://172.25.254.100:80',
      ],
    ],
  },
  {
    title: 'a listener on port 0',
    changes: [['tcp://172.25.254.100:80', 'tcp://172.25.254.100:0']],
    problems: [
      [
        '19:13 services[0].listen',
        'port 0 is not a port',
        'leave the port out to serve every port',
      ],
    ],
  },
  {
    title: 'a listener on a port beyond the last',
    changes: [['tcp://172.25.254.100:80', 'tcp://172.25.254.100:65536']],
    problems: [['19:13 services[0].listen', 'must have a port from 1 to 65535, got 65536']],
  },
  {
    title: 'a listener on every address',
    changes: [['tcp://172.25.254.100:80', 'tcp://0.0.0.0:80']],
    problems: [
      [
        '19:13 services[0].listen',
        'must be one address, got 0.0.0.0 which stands for every address',
      ],
    ],
  },
  {
    title: 'an IPv6 listener without brackets',
    changes: [['tcp://172.25.254.100:80', 'tcp://2001:db8::1']],
    problems: [
      [
        '19:13 services[0].listen',
        'an IPv6 address needs brackets here',
        'write tcp://[2001:db8::1] or tcp://[2001:db8::1]:80',
      ],
    ],
  },
  {
    title: 'a listener by name',
    changes: [['tcp://172.25.254.100:80', 'tcp://www.example.com:80']],
    problems: [
      [
        '19:13 services[0].listen',
        'must have an IP address and perhaps a port, got tcp://www.example.com:80',
        'for example tcp://192.168.0.10:80; names are not looked up',
      ],
    ],
  },
  {
    title: 'a server with a protocol',
    changes: [['192.168.0.10:80', 'tcp://192.168.0.10:80']],
    problems: [
      [
        '28:20 services[0].servers[0].address',
        'must be an address without protocol, got tcp://192.168.0.10:80',
        'write 192.168.0.10:80',
      ],
    ],
  },
  {
    title: 'a server on port 0',
    changes: [['192.168.0.10:80', '192.168.0.10:0']],
    problems: [
      [
        '28:20 services[0].servers[0].address',
        'port 0 is not a port',
        "leave the port out to use the listener's",
      ],
    ],
  },
  {
    title: 'a firewall mark of 0',
    changes: [['listen: tcp://172.25.254.100:80', 'fwmark: 0']],
    problems: [['19:13 services[0].fwmark', 'must be at least 1, got 0']],
  },
];

testBadInputs(badInputs);
