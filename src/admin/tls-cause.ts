/** Why handshakes with clients fail, as a metric names it. Pure. */

/** The causes, and what the library’s words for them have in common; the first that fits. */
const CAUSES: readonly (readonly [cause: string, words: RegExp])[] = [
  ['closed', /^(?:closed|ECONNRESET|EPIPE)$/],
  ['no-certificate', /PEER_DID_NOT_RETURN_A_CERTIFICATE/],
  ['certificate', /CERT|CRL|SELF_SIGNED|UNABLE_TO|UNKNOWN_CA|INVALID_CA|INVALID_PURPOSE|CHAIN/],
  ['name', /UNRECOGNIZED_NAME/],
  [
    'parameters',
    /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|SHARED|CIPHER|APPLICATION_PROTOCOL|VERSION_TOO/,
  ],
];

/** The cause of a failed handshake by its detail; `garbage`: what came was no handshake that can be. */
export const tlsCauseOf = (detail: string): string =>
  CAUSES.find(([, words]) => words.test(detail))?.[0] ?? 'garbage';
