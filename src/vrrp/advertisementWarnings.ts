/**
 * How an accepted advertisement differs from what this router would send: signs of two routers that
 * are configured differently. None of them makes the packet invalid (RFC 9568, 7.1). Pure.
 */
import type { IpAddress } from '../wire/ipAddress.js';
import {
  type Advertisement,
  type ChecksumForm,
  ownerPriority,
  resignPriority,
} from '../wire/vrrp.js';
import type { VirtualRouterSpec } from './protocol.js';
import type { AdvertisementWarning } from './reasons.js';

/** Every difference, in a fixed order. */
export function advertisementWarnings(
  spec: VirtualRouterSpec,
  advertisement: Advertisement,
  checksum: ChecksumForm,
): readonly AdvertisementWarning[] {
  const { priority, advertIntervalCs, addresses } = advertisement;
  const own = spec.addresses.map(({ prefix }) => prefix.address);
  const warnings: AdvertisementWarning[] = [];
  if (!isSameSet(addresses, own)) warnings.push('address-list-differs');
  if (priority !== resignPriority && advertIntervalCs !== spec.advertIntervalCs) {
    warnings.push('interval-differs');
  }
  if (checksum !== spec.checksum) warnings.push('checksum-form-differs');
  if (priority === ownerPriority && spec.priority === ownerPriority) warnings.push('second-owner');
  return warnings;
}

function isSameSet(left: readonly IpAddress[], right: readonly IpAddress[]): boolean {
  const members = new Set(right);
  return members.size === new Set(left).size && left.every((address) => members.has(address));
}
