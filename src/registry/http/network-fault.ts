import { errors } from 'undici';
import { ProxyFault } from '../proxy/tunnel.ts';
import { type FaultCode, SourceFault } from '../source.ts';
import { AddressForbidden, LookupFailed } from './addresses.ts';

/** What was asked, for the fault it ended with. */
export interface RequestContext {
  /** How faults name whom we ask. */
  readonly name: string;
  /** The proxy that it was asked through. */
  readonly proxy: URL | undefined;
  readonly requestTimeout: number;
  /** The caller's time. */
  readonly caller: AbortSignal;
  /** The request's own time. */
  readonly timeout: AbortSignal;
  /** Whether an earlier step of the same question was answered: a redirect. */
  readonly isRedirected: boolean;
}

const codeOf = (error: unknown): string => {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
};

/** Errors of undici that say that we misuse it. */
const isMisuse = (error: unknown): boolean =>
  error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError;

/** Codes of Node's own checks (`ERR_INVALID_ARG_TYPE`) stand for our mistakes; TLS and sockets have other prefixes. */
const isOfTheNetwork = (error: unknown): boolean =>
  error instanceof errors.UndiciError ||
  (error instanceof Error && !(error instanceof TypeError) && codeOf(error) !== '');

/** The sentence of a connection that failed; never the URL, which may carry a token. */
const sentenceOf = (code: string): string => {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its TLS certificate is for another name';
  if (code === 'CERT_HAS_EXPIRED') return 'its TLS certificate has expired';
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code))
    return `its TLS certificate is not trusted (${code}); name its authority in registries[].caFile or --ca-file`;
  if (/^ERR_SSL_|^EPROTO$/.test(code)) return `it does not speak TLS as we do (${code})`;
  return `no connection (${code})`;
};

const isNoHttp = (error: unknown): boolean =>
  error instanceof errors.HTTPParserError ||
  error instanceof errors.HeadersOverflowError ||
  // Two lengths, or a length and chunks: where the answer ends is anybody's guess (RFC 9112 §6.3).
  error instanceof errors.ResponseContentLengthMismatchError;

const classify = (error: unknown, attempt: RequestContext): readonly [FaultCode, string] | undefined => {
  if (error instanceof AddressForbidden) return ['refused', error.message];
  if (error instanceof ProxyFault) return [error.code, error.message];
  if (error instanceof LookupFailed) return ['unavailable', error.message];
  if (isNoHttp(error)) return ['answer-invalid', 'it does not answer in HTTP'];
  if (isMisuse(error) || !isOfTheNetwork(error)) return undefined;
  if (attempt.caller.aborted) return ['deadline', 'it did not answer in time'];
  return ['unavailable', sentenceOf(codeOf(error))];
};

/**
 * What an error of one request means: a `SourceFault`, or the error itself where it is none of the network's but a
 * mistake of ours.
 */
export const faultOf = (error: unknown, attempt: RequestContext): unknown => {
  const { name, proxy, caller, timeout: patience, requestTimeout, isRedirected: answeredBefore } = attempt;
  if (error instanceof SourceFault) return error;
  const cause = { asked: true, cause: error };
  const way =
    proxy === undefined || error instanceof ProxyFault ? '' : `, asked through the proxy ${proxy.host}`;
  if (caller.aborted && error === caller.reason)
    return new SourceFault('deadline', `${name} did not answer in time${way}`, cause);
  if (patience.aborted && error === patience.reason)
    return new SourceFault('unavailable', `${name} did not answer within ${requestTimeout} ms${way}`, cause);
  const found = classify(error, attempt);
  if (found === undefined) return error;
  const [code, sentence] = found;
  // A rule of ours kept the question from being sent, unless it is where an answer sent us.
  const asked = !(error instanceof AddressForbidden) || answeredBefore;
  return new SourceFault(code, `${name}: ${sentence}${way}`, { asked, cause: error });
};

/** Whether a connection ended before anything came: one that was kept open may have been closed under the question. */
export const isLostConnection = (error: unknown): boolean =>
  error instanceof errors.SocketError || ['ECONNRESET', 'EPIPE'].includes(codeOf(error));
