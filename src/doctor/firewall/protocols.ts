/** Protocol numbers of IP that firewall rules name (protocols(5)). */
const numbers: Readonly<Record<string, number>> = {
  icmp: 1,
  ipencap: 4,
  ipv4: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  icmpv6: 58,
  vrrp: 112,
  sctp: 132,
};

/** The number of a protocol by its name or number; `undefined` when it is neither. */
export function protocolNumber(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  return Object.hasOwn(numbers, text) ? numbers[text] : undefined;
}
