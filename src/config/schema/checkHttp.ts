/** Keys of HTTP checks. */

import { protocolName, secretFile } from './checkKeys.js';
import { listOf, mapOf } from './containerTypes.js';
import { optional, required, section, withDefault } from './definition.js';
import {
  bodyDigest,
  bodyPattern,
  bodyText,
  headerName,
  headerValue,
  hostHeader,
  jsonEquals,
  jsonPath,
  requestBody,
  requestPath,
  statusRanges,
} from './httpTypes.js';
import { mappingOf } from './mappingReader.js';
import { integer, oneOf } from './scalarTypes.js';

const requestKeys = {
  method: withDefault(oneOf(['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS']), 'GET', {
    doc: 'The method of the request.',
  }),
  host: optional(hostHeader, {
    doc: 'Value of the Host header.',
    meaning: "the server's address and port",
  }),
  body: optional(requestBody, { doc: 'The body of the request.', meaning: 'none' }),
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
    bodyDigest: optional(bodyDigest, {
      doc: 'Digest that the body must have.',
      meaning: 'the body is not looked at',
    }),
    bodyJson: optional(
      listOf(
        mappingOf({
          path: required(jsonPath, { doc: 'What is looked at in the JSON of the body.' }),
          equals: optional(jsonEquals, {
            doc: 'What one of the values there must be.',
            meaning: 'something must be there',
          }),
        }),
        { min: 1, max: 32 },
      ),
      { doc: 'Values that a body in JSON must hold.', meaning: 'the body is not looked at' },
    ),
  }),
} as const;

/** What is asked, and what the answer must be. */
export const httpKeys = {
  path: withDefault(requestPath, '/', { doc: 'The path of the request, with its query.' }),
  ...requestKeys,
  version: withDefault(oneOf(['1.1', '2']), '1.1', {
    doc: 'The version of HTTP. 2 is spoken without an upgrade; with TLS the server must offer it.',
  }),
  headers: optional(mapOf(headerName, headerValue, { min: 1 }), {
    doc: 'Further headers of every request.',
    meaning: 'none',
  }),
  basicAuth: optional(
    mappingOf({
      user: required(protocolName, { doc: 'The name of the user.' }),
      password: required(secretFile, { doc: 'Where the password is.' }),
    }),
    { doc: 'Basic authentication.', meaning: 'none' },
  ),
  redirects: withDefault(integer({ min: 0, max: 10, note: '0 follows none' }), 0, {
    doc: 'So many redirects are followed, always on the server that is checked.',
  }),
  requests: optional(
    listOf(
      mappingOf({
        path: required(requestPath, { doc: 'The path of the request, with its query.' }),
        ...requestKeys,
      }),
      { min: 1, max: 32 },
    ),
    {
      doc: 'Further requests, on connections of their own. All must be answered as they expect.',
      meaning: 'none',
    },
  ),
} as const;
