/** Keys of HTTP checks. */
import { optional, section, withDefault } from './definition.js';
import { bodyPattern, bodyText, hostHeader, requestPath, statusRanges } from './httpTypes.js';
import { oneOf } from './scalarTypes.js';

/** What is asked, and what the answer must be. */
export const httpKeys = {
  method: withDefault(oneOf(['GET', 'HEAD', 'POST', 'OPTIONS']), 'GET', {
    doc: 'The method of the request.',
  }),
  path: withDefault(requestPath, '/', { doc: 'The path of the request, with its query.' }),
  host: optional(hostHeader, {
    doc: 'Value of the Host header.',
    meaning: "the server's address and port",
  }),
  expect: section('What the answer must be.', {
    status: withDefault(statusRanges, '200-299', {
      doc: 'Status codes that count as healthy.',
    }),
    bodyContains: optional(bodyText, {
      doc: 'Text that the body must contain.',
      meaning: 'the body is not looked at',
    }),
    bodyMatches: optional(bodyPattern, {
      doc: 'Regular expression that the body must match.',
      meaning: 'the body is not looked at',
    }),
  }),
} as const;
