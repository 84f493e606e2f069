/** Records of DNS as one line of text, as zone files write them, in lower case. */
import type { Answer } from 'dns-packet';

/** What a record holds, without dots at the ends of names. */
export function recordText(record: Answer): string {
  return textOf(record).toLowerCase().replace(/\.$/, '');
}

function textOf(record: Answer): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return record.data;
    case 'MX':
      return `${record.data.preference ?? 0} ${record.data.exchange}`;
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = record.data;
      return `${priority} ${weight} ${port} ${target}`;
    }
    case 'SOA':
      return `${record.data.mname} ${record.data.rname} ${record.data.serial ?? 0}`;
    case 'CAA':
      return `${record.data.flags ?? 0} ${record.data.tag} ${record.data.value}`;
    case 'TXT':
      return [record.data].flat().map(String).join('');
    default:
      return '';
  }
}
