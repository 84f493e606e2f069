/** What the benchmark and the thread of the client say to each other. */
import type { CapturedAdvert } from '../../src/drill/capture.js';
import type { Answer, RoundRecord } from './failoverModel.js';

/** The port of the echo servers. */
export const echoPort = 7007;

/** To the thread of the client. */
export type ProberRequest =
  /** Forgets what was before and begins to send. */
  | { readonly type: 'start' }
  | { readonly type: 'progress' }
  /** Sends no more and hands over what was recorded. */
  | { readonly type: 'finish' };

/** What the thread of the client answers to each request. */
export interface ProberReply {
  readonly sent: number;
  readonly latenessMaxUs: number;
  readonly lastAnswer: Answer | null;
  readonly lastAdvert: CapturedAdvert | null;
  /** Empty until `finish`. */
  readonly record: RoundRecord;
}
