/** Tells from the table itself whether a change was made whose acknowledgement was lost. Pure. */
import { sameServer, sameServiceSettings } from '../wire/ipvsEquality.js';
import type { IpvsOperation, IpvsServer, IpvsService } from '../wire/ipvsModel.js';
import { formatServerIdentity, formatServiceIdentity } from '../wire/ipvsText.js';

/** What a dump after the loss showed, by the service as an operator writes it. */
export interface LostOperationView {
  readonly services: ReadonlyMap<string, IpvsService>;
  readonly servers: Map<string, readonly IpvsServer[]>;
}

/** Whether the table is as it is after the change. */
export function operationHolds(operation: IpvsOperation, view: LostOperationView): boolean {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service': {
      const found = view.services.get(formatServiceIdentity(operation.service.identity));
      return found !== undefined && sameServiceSettings(found, operation.service);
    }
    case 'delete-service':
      return !view.services.has(formatServiceIdentity(operation.service));
    case 'add-server':
    case 'edit-server': {
      const found = findServer(operation, view);
      return found !== undefined && sameServer(found, operation.server);
    }
    case 'delete-server':
      return findServer(operation, view) === undefined;
  }
}

function findServer(
  operation: Extract<
    IpvsOperation,
    { readonly kind: 'add-server' | 'edit-server' | 'delete-server' }
  >,
  view: LostOperationView,
): IpvsServer | undefined {
  const wanted = formatServerIdentity(operation.server);
  const servers = view.servers.get(formatServiceIdentity(operation.service)) ?? [];
  return servers.find((server) => formatServerIdentity(server) === wanted);
}
