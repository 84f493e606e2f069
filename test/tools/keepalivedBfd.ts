/** A keepalived whose only business is BFD. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { DaemonProcess } from './daemonProcess.js';

/** Where it runs, and with whom it has its session. */
export interface KeepalivedBfdOptions {
  readonly namespace: NetworkNamespace;
  /** For its files. */
  readonly folder: string;
  readonly neighbour: string;
  readonly source: string;
  readonly multiplier: number;
}

/** Starts it, with a session named `pair` on `eth0`; a virtual router makes it run at all. */
export function startKeepalivedBfd(options: KeepalivedBfdOptions): DaemonProcess {
  const { namespace, folder, neighbour, source, multiplier } = options;
  const file = (end: string): string => join(folder, `keepalived-bfd.${end}`);
  const lines = [
    'bfd_instance pair {',
    `  neighbor_ip ${neighbour}`,
    `  source_ip ${source}`,
    '  min_rx 70',
    '  min_tx 40',
    '  idle_tx 1000',
    `  multiplier ${multiplier}`,
    '}',
    'vrrp_instance other {',
    '  interface eth0',
    '  state BACKUP',
    '  virtual_router_id 99',
    '  priority 100',
    '  advert_int 1',
    '  virtual_ipaddress {',
    '    192.0.2.199/24',
    '  }',
    '  track_bfd {',
    '    pair',
    '  }',
    '}',
    '',
  ];
  writeFileSync(file('conf'), lines.join('\n'));
  const pidFiles = ['-p', file('pid'), '-r', file('vrrp.pid'), '-b', file('bfd.pid')];
  return new DaemonProcess({
    namespace,
    command: 'keepalived',
    args: ['-n', '-l', '-D', '-f', file('conf'), ...pidFiles],
    logPath: file('log'),
  });
}
