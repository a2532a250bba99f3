import type { SecureContext } from 'node:tls';
import { callbackify } from 'node:util';
import { buildConnector } from 'undici';
import type { FindSecureContext } from './trust.ts';

/**
 * Connects with the authorities that are trusted at that time. A TLS session that was resumed would skip the check of the
 * certificate, so none outlives the authorities that it was checked by.
 */
export const createTrustingConnector = (
  findSecureContext: FindSecureContext,
  options: buildConnector.BuildOptions,
): buildConnector.connector => {
  const find = callbackify(findSecureContext);
  const connectPlainly = buildConnector(options);
  let last: { readonly context: SecureContext; readonly connect: buildConnector.connector } | undefined;
  const connectorFor = (context: SecureContext): buildConnector.connector => {
    if (last?.context !== context)
      last = { context, connect: buildConnector({ ...options, secureContext: context }) };
    return last.connect;
  };
  return (target, callback) => {
    if (target.protocol !== 'https:') return connectPlainly(target, callback);
    find((error, context) => {
      if (error === null) connectorFor(context)(target, callback);
      else callback(error, null);
    });
  };
};
