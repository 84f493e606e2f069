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
import { advertisedAddresses, familyOfRouter, versionOf } from './virtualRouter.js';

/** What an operator reads of each difference. */
export const warningTexts: Readonly<Record<AdvertisementWarning, string>> = {
  'address-list-differs': 'the peer advertises other addresses than this router has',
  'interval-differs': 'the peer advertises at another interval than this router',
  'checksum-form-differs': 'the peer sends the other checksum form; both are accepted',
  'second-owner': 'the peer claims to be the address owner as well (priority 255)',
  'duplicate-address': 'an advertisement came from our own address: another station has it too',
  'hmac-absent': 'the peer sends no authentication trailer; it is accepted without one',
  'clock-skew': 'the clock of the peer differs by more than half of what is accepted',
};

/** Every difference, in a fixed order. */
export function advertisementWarnings(
  spec: VirtualRouterSpec,
  advertisement: Advertisement,
  checksum: ChecksumForm,
): readonly AdvertisementWarning[] {
  const { priority, advertIntervalCs, addresses } = advertisement;
  const own = advertisedAddresses(spec);
  const warnings: AdvertisementWarning[] = [];
  if (!isSameSet(addresses, own)) warnings.push('address-list-differs');
  if (priority !== resignPriority && advertIntervalCs !== spec.advertIntervalCs) {
    warnings.push('interval-differs');
  }
  const hasTwoForms = versionOf(spec) === 3 && familyOfRouter(spec) === 4;
  if (hasTwoForms && checksum !== spec.checksum) warnings.push('checksum-form-differs');
  if (priority === ownerPriority && spec.priority === ownerPriority) warnings.push('second-owner');
  return warnings;
}

function isSameSet(left: readonly IpAddress[], right: readonly IpAddress[]): boolean {
  const members = new Set(right);
  return members.size === new Set(left).size && left.every((address) => members.has(address));
}
