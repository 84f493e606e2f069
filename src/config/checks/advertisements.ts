/** Cross checks of how virtual routers advertise: family, version, authentication, peers. */
import { familyOf, type IpFamily, isLinkLocal } from '../../wire/ipAddress.js';
import { advertisedAddressesMax } from '../../wire/vrrp.js';
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import type { PerNode } from '../schema/containerTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { checkPerNode } from './nodes.js';
import { FirstOwners, present } from './present.js';

type RouterDraft = NonNullable<NonNullable<RootDraft['virtualRouters']>[number]>;

/** The unit of intervals in version 2. */
const secondMs = 1000;

/** All of them. */
export function checkAdvertisements(draft: RootDraft): readonly Finding[] {
  return present(draft.virtualRouters).flatMap(([index, router]) => {
    const path = ['virtualRouters', index];
    return [
      ...checkAddresses(path, router),
      ...checkVersion(path, router),
      ...checkKeys(path, router),
      ...checkUnicast(draft, path, router),
    ];
  });
}

/** The family of a virtual router: that of the first address that it advertises. */
export function familyOfRouterDraft(router: RouterDraft): IpFamily | undefined {
  const [first] = present(router.addresses);
  const address = first?.[1].address?.address;
  return address === undefined ? undefined : familyOf(address);
}

function checkAddresses(path: ConfigPath, router: RouterDraft): readonly Finding[] {
  const family = familyOfRouterDraft(router);
  const addresses = present(router.addresses);
  const findings: Finding[] = [];
  for (const [index, { address }] of addresses) {
    if (address === undefined || family === undefined) continue;
    if (familyOf(address.address) === family) continue;
    const hint =
      'put it into excludedAddresses, or into a virtual router of its own, which may have the ' +
      'same VRID';
    const place = [...path, 'addresses', index];
    const message = `${address.address} is not of IPv${family}, as the addresses before it are`;
    findings.push(errorAt(place, message, hint));
  }
  const [first] = addresses;
  const firstAddress = first?.[1].address?.address;
  if (first !== undefined && firstAddress !== undefined && family === 6) {
    if (first[0] === 0 && !isLinkLocal(firstAddress)) {
      const example = `fe80::5e:${(router.vrid ?? 1).toString(16)}/64`;
      findings.push(
        errorAt(
          [...path, 'addresses', 0],
          `the first IPv6 address must be a link-local one (RFC 9568, 5.2.9), got ${firstAddress}`,
          `put one before it, for example ${example}`,
        ),
      );
    }
  }
  if (addresses.length > advertisedAddressesMax) {
    findings.push(
      warningAt(
        [...path, 'addresses'],
        `only the first ${advertisedAddressesMax} of ${addresses.length} fit an advertisement; ` +
          'the others move with them all the same',
        'put the others into excludedAddresses',
      ),
    );
  }
  return findings;
}

function checkVersion(path: ConfigPath, router: RouterDraft): readonly Finding[] {
  const { version, advertInterval, checksum } = router;
  const family = familyOfRouterDraft(router);
  const findings: Finding[] = [];
  if (version === 2 && family === 6) {
    const message = 'version 2 has no IPv6';
    findings.push(errorAt([...path, 'version'], message, 'remove it: version 3 is the default'));
  }
  if (version === 2 && advertInterval !== undefined && advertInterval % secondMs !== 0) {
    const message = 'version 2 has whole seconds only';
    findings.push(errorAt([...path, 'advertInterval'], message, 'for example 1s'));
  }
  if (version === 3 && router.authentication !== undefined) {
    const message = 'belongs to version 2, and this router speaks version 3';
    findings.push(errorAt([...path, 'authentication'], message, 'use `hmac`, which both have'));
  }
  if (checksum === 'plain' && (version === 2 || family === 6)) {
    const what = version === 2 ? 'version 2' : 'IPv6';
    const message = `has no effect: ${what} has one form of the checksum`;
    findings.push(warningAt([...path, 'checksum'], message, 'remove it'));
  }
  return findings;
}

function checkKeys(path: ConfigPath, { hmac }: RouterDraft): readonly Finding[] {
  if (hmac === undefined) return [];
  const findings: Finding[] = [];
  const owners = new FirstOwners<number>();
  for (const [index, { id, file, hex }] of present(hmac.keys)) {
    const here = [...path, 'hmac', 'keys', index];
    const earlier = id === undefined ? undefined : owners.claim(String(id), index);
    if (earlier !== undefined) {
      const message = `keys[${earlier}] has id ${id} already`;
      findings.push(errorAt([...here, 'id'], message, 'give each key its own id'));
    }
    if (file !== undefined && hex !== undefined) {
      findings.push(errorAt([...here, 'hex'], 'cannot stand beside `file`', 'remove one'));
    }
  }
  const ids = present(hmac.keys).map(([, key]) => key.id);
  const { sendKey } = hmac;
  if (sendKey !== undefined && !ids.includes(sendKey) && !ids.includes(undefined)) {
    const message = `there is no key with id ${sendKey}`;
    findings.push(errorAt([...path, 'hmac', 'sendKey'], message, `there are ${ids.join(', ')}`));
  }
  return findings;
}

/** Each key is given in one way. Judged on the plain value, which tells missing from wrong. */
export function checkKeysGiven(
  draft: RootDraft,
  isGiven: (path: readonly (string | number)[]) => boolean,
): readonly Finding[] {
  return present(draft.virtualRouters).flatMap(([routerIndex, router]) =>
    present(router.hmac?.keys).flatMap(([index]) => {
      const path = ['virtualRouters', routerIndex, 'hmac', 'keys', index];
      if (isGiven([...path, 'file']) || isGiven([...path, 'hex'])) return [];
      return [errorAt(path, 'needs `file` or `hex`', 'for example file: /etc/tandem/vrrp.key')];
    }),
  );
}

function checkUnicast(draft: RootDraft, path: ConfigPath, router: RouterDraft): readonly Finding[] {
  const { unicast } = router;
  if (unicast === undefined) return [];
  const here = [...path, 'unicast'];
  const family = familyOfRouterDraft(router);
  const findings = [...checkPerNode(draft, [...here, 'source'], unicast.source)];
  const check = (place: ConfigPath, address: Parameters<typeof familyOf>[0] | undefined): void => {
    if (address === undefined || family === undefined || familyOf(address) === family) return;
    const message = `must be of IPv${family} as the addresses of the router are, got ${address}`;
    findings.push(errorAt(place, message));
  };
  for (const [index, peer] of present(unicast.peers)) check([...here, 'peers', index], peer);
  for (const [name, source] of sourcesOf(unicast.source)) {
    check(name === undefined ? [...here, 'source'] : [...here, 'source', name], source);
  }
  if (family === 6 && unicast.peers === undefined && unicast.source?.kind !== 'each') {
    const hint = 'give `peers`, or a `source` for each node';
    findings.push(errorAt(here, 'does not tell the IPv6 addresses of the peers', hint));
  }
  const { min, max } = unicast.ttl;
  if (min !== undefined && max !== undefined && min > max) {
    findings.push(errorAt([...here, 'ttl', 'min'], `must not be above max, which is ${max}`));
  }
  return findings;
}

function sourcesOf<Value>(
  source: PerNode<Value> | undefined,
): readonly (readonly [string | undefined, Value])[] {
  if (source === undefined) return [];
  return source.kind === 'every' ? [[undefined, source.value]] : [...source.values];
}
