/** When two services or servers are the same as far as the kernel can be told. */
import type { IpvsServer, ServiceSettings, TunnelEncapsulation } from './ipvsModel.js';

/** Whether editing one service into the other would change nothing. */
export function sameServiceSettings(left: ServiceSettings, right: ServiceSettings): boolean {
  return (
    left.scheduler === right.scheduler &&
    left.onePacket === right.onePacket &&
    left.schedulerFlags === right.schedulerFlags &&
    left.persistenceEngine === right.persistenceEngine &&
    left.persistence?.timeoutSeconds === right.persistence?.timeoutSeconds &&
    left.persistence?.prefixLength === right.persistence?.prefixLength &&
    left.persistence?.maskWithGaps === right.persistence?.maskWithGaps
  );
}

/** Whether editing one server into the other would change nothing. */
export function sameServer(left: IpvsServer, right: IpvsServer): boolean {
  return (
    left.address === right.address &&
    left.port === right.port &&
    left.forwarding === right.forwarding &&
    left.weight === right.weight &&
    left.upperThreshold === right.upperThreshold &&
    left.lowerThreshold === right.lowerThreshold &&
    sameEncapsulation(left.encapsulation, right.encapsulation)
  );
}

/** Whether packets are wrapped alike; `undefined` is IP in IP. */
export function sameEncapsulation(
  left: TunnelEncapsulation | undefined,
  right: TunnelEncapsulation | undefined,
): boolean {
  if (left === undefined || right === undefined) return left === right;
  if (left.type !== right.type || left.checksum !== right.checksum) return false;
  return left.type !== 'gue' || right.type !== 'gue' || left.port === right.port;
}
