import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProcConnections, parseProcServers } from '../../../src/drill/ipvsProcTable.js';

const table = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  AC19FE64:0050 wrr  
  -> C0A80014:0050      Masq    1      0          12        
  -> C0A8000A:0050      Masq    0      0          25        
FWM  00000007 wrr 
  -> C0A8000A:0000      Route   9      0          0         
TCP  AC19FE64:1F90 wrr persistent 36000 FFFFFFFF
  -> C0A8000A:1F90      Masq    65535  1          0         
TCP  [2001:0db8:0254:0000:0000:0000:0000:0100]:0050 wrr 
  -> [fd00:0192:0168:0000:0000:0000:0000:0010]:0050      Masq    3      0          0         
`;

test('the servers of all services are read with their weights', () => {
  const service = { address: '172.25.254.100', port: 80 };
  const shop = { address: '172.25.254.100', port: 8080 };
  assert.deepEqual(parseProcServers(table), [
    { service, address: '192.168.0.20', port: 80, weight: 1 },
    { service, address: '192.168.0.10', port: 80, weight: 0 },
    { service: { mark: 7 }, address: '192.168.0.10', port: 0, weight: 9 },
    { service: shop, address: '192.168.0.10', port: 8080, weight: 65_535 },
    {
      service: { address: '2001:db8:254::100', port: 80 },
      address: 'fd00:192:168::10',
      port: 80,
      weight: 3,
    },
  ]);
});

const rowIpv6 = [
  'TCP 2001:0db8:0001:0000:0000:0000:0000:0100 9D6C',
  '2001:0db8:0001:0000:0000:0000:0000:0010 0050',
  '2001:0db8:0002:0000:0000:0000:0000:0011 0050 ESTABLISHED 899',
].join(' ');

const connections = `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP AC19FE8C 0000 AC19FE64 1F90 C0A8000A 1F90 ASSURED         359
TCP AC19FE78 A7F8 AC19FE64 0050 C0A80014 0050 ESTABLISHED     891
IP  AC19FE78 0000 00000007 0000 C0A80014 0000 ASSURED         195
${rowIpv6}
`;

test('connections and templates of both families are read, marks of templates as addresses', () => {
  assert.deepEqual(
    parseProcConnections(connections).map((row) => [
      row.clientAddress,
      row.clientPort,
      row.virtualPort,
      row.serverAddress,
      row.state,
    ]),
    [
      ['172.25.254.140', 0, 8080, '192.168.0.10', 'ASSURED'],
      ['172.25.254.120', 43_000, 80, '192.168.0.20', 'ESTABLISHED'],
      ['172.25.254.120', 0, 0, '192.168.0.20', 'ASSURED'],
      ['2001:db8:1::100', 40_300, 80, '2001:db8:2::11', 'ESTABLISHED'],
    ],
  );
});

test('text that is no table gives no rows', () => {
  assert.deepEqual(parseProcServers('x\n\n  -> nothing'), []);
  assert.deepEqual(parseProcConnections('x'), []);
});
