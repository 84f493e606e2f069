/** Records of DNS as lines of text, as zone files and operators write them. Pure. */
import type { Answer } from 'dns-packet';
import { parseIpAddress } from '../../wire/ipAddress.js';
import type { DnsRecordType } from '../probeSpec.js';

/** What a record holds, in the form of {@link normalizedRecord}. */
export function recordText(record: Answer): string {
  return normalizedRecord(record.type as DnsRecordType, textOf(record));
}

/**
 * One form for the ways to write a record: no quotes, no dots at the ends of names, addresses in
 * their shortest form, lower case but for texts.
 */
export function normalizedRecord(type: DnsRecordType, text: string): string {
  switch (type) {
    case 'TXT':
      return text.replace(/^"(.*)"$/, '$1');
    case 'A':
    case 'AAAA':
      return parseIpAddress(text) ?? text;
    default:
      return text
        .toLowerCase()
        .split(/\s+/)
        .map((word) => word.replace(/^"(.*)"$/, '$1').replace(/(.)\.$/, '$1'))
        .join(' ');
  }
}

/**
 * Whether a record is the one that is wanted, both in the form of {@link normalizedRecord}. Of a
 * start of authority the beginning is enough: its serial changes with every edit of the zone.
 */
export function isRecord(type: DnsRecordType, wanted: string, text: string): boolean {
  return text === wanted || (type === 'SOA' && text.startsWith(`${wanted} `));
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
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
      const numbers = [serial, refresh, retry, expire, minimum].map((each) => each ?? 0);
      return `${mname} ${rname} ${numbers.join(' ')}`;
    }
    case 'CAA':
      return `${record.data.flags ?? 0} ${record.data.tag} ${record.data.value}`;
    case 'TXT':
      return [record.data].flat().map(String).join('');
    default:
      return '';
  }
}
