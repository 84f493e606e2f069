/** The worker thread of one real server of a lab. */
import { serveLabThread } from './labThread.js';
import { RealServer } from './realServer.js';
import type {
  RealServerReply,
  RealServerRequest,
  RealServerSettings,
} from './realServerProtocol.js';

serveLabThread<RealServerSettings, RealServerRequest, RealServerReply>((settings) => {
  const server = new RealServer(settings);
  return (request) => server.behave(request.behaviour);
});
