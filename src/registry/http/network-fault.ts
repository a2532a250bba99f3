import { errors } from 'undici';
import { ProxyFault } from '../proxy/tunnel.ts';
import { type FaultCode, type FaultRemedy, SourceFault } from '../source.ts';
import { AddressForbidden, LookupFailed } from './addresses.ts';

/** The request that an error ended. */
export interface RequestContext {
  /** The name of the server in faults: `registry.corp.example`. */
  readonly name: string;
  /** The proxy that the request went through. */
  readonly proxy: URL | undefined;
  readonly requestTimeout: number;
  /** The caller's deadline. */
  readonly caller: AbortSignal;
  /** Ends the request after `requestTimeout`. */
  readonly timeout: AbortSignal;
  /** True if the request follows a redirect, so an earlier one was sent. */
  readonly isRedirected: boolean;
  /** False if the host is one that the registry only referred to. */
  readonly isOwn: boolean;
  /** True if the error ended an attempt to connect. */
  readonly isConnectError: boolean;
}

const codeOf = (error: unknown): string => {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
};

/** True for undici's errors about wrong arguments, which are defects of the caller. */
const isMisuse = (error: unknown): boolean =>
  error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError;

/** Codes of Node's own checks (`ERR_INVALID_ARG_TYPE`) indicate a defect of ours; TLS and socket codes differ. */
const isNetworkError = (error: unknown): boolean =>
  error instanceof errors.UndiciError ||
  (error instanceof Error && !(error instanceof TypeError) && codeOf(error) !== '');

/** Codes of a process or machine that has no file, port or memory left for a socket: no registry's failure. */
const LOCAL_CODES: ReadonlySet<string> = new Set([
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EAI_MEMORY',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
]);

const isLocal = (error: unknown): boolean =>
  LOCAL_CODES.has(codeOf(error)) ||
  (error instanceof LookupFailed && LOCAL_CODES.has(codeOf(error.cause))) ||
  (error instanceof ProxyFault && LOCAL_CODES.has(codeOf(error.cause)));

/** A sentence, and what helps if it is not what the code of the fault suggests. */
type Described = readonly [sentence: string, remedy?: FaultRemedy | undefined];

/** Describes a failed connection; never quotes the URL, which may carry a token. */
const describeConnectionError = (code: string): Described => {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return ['its TLS certificate is for another name', 'certificate'];
  if (code === 'CERT_HAS_EXPIRED') return ['its TLS certificate has expired', 'certificate'];
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code))
    return [
      `its TLS certificate is not trusted (${code}); configure its CA in registryDefaults.caFile, registries[].caFile or --ca-file`,
      'certificate',
    ];
  if (/^ERR_SSL_|^EPROTO$/.test(code)) return [`the TLS handshake failed (${code})`, 'tls'];
  return [`the connection failed (${code})`];
};

const isNotHttp = (error: unknown): boolean =>
  error instanceof errors.HTTPParserError ||
  error instanceof errors.HeadersOverflowError ||
  // Two lengths, or a length and chunks: the end of the response is ambiguous (RFC 9112 §6.3).
  error instanceof errors.ResponseContentLengthMismatchError;

/** The code of a host that does not respond. */
const unavailableCodeOf = ({ isOwn }: RequestContext): FaultCode =>
  isOwn ? 'unavailable' : 'backend-unavailable';

/** Codes of an address that nobody listens at, or no route leads to. */
const UNREACHED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']);

/** True if the address that was not reached is the proxy's: through a proxy no other is connected to. */
const isUnreachedProxy = (error: unknown, { proxy }: RequestContext): boolean =>
  proxy !== undefined && UNREACHED.has(codeOf(error));

const describeWithProxy = (error: unknown, context: RequestContext): Described => {
  const [sentence, remedy] = describeConnectionError(codeOf(error));
  return isUnreachedProxy(error, context) ? [sentence, 'proxy-unreachable'] : [sentence, remedy];
};

const classify = (
  error: unknown,
  context: RequestContext,
): readonly [FaultCode, ...Described] | undefined => {
  const unavailable = unavailableCodeOf(context);
  if (error instanceof AddressForbidden) return ['refused', error.message, 'address'];
  if (isLocal(error)) return ['deadline', 'this machine could not open a connection'];
  if (error instanceof ProxyFault)
    return [error.code === 'unavailable' ? unavailable : error.code, error.message, error.remedy];
  if (error instanceof LookupFailed)
    return [unavailable, error.message, context.proxy === undefined ? 'host-name' : 'proxy-unreachable'];
  if (isNotHttp(error)) return ['answer-invalid', 'the response is not valid HTTP'];
  if (isMisuse(error) || !isNetworkError(error)) return undefined;
  if (context.caller.aborted) return ['deadline', 'it did not respond in time'];
  return [unavailable, ...describeWithProxy(error, context)];
};

/** Returns the `SourceFault` of an error of one request; or the error itself if it is a defect, not the network's. */
export const faultOf = (error: unknown, context: RequestContext): unknown => {
  const { name, proxy, caller, timeout, requestTimeout, isRedirected } = context;
  if (error instanceof SourceFault) return error;
  const cause = { asked: true, cause: error };
  const via = proxy === undefined || error instanceof ProxyFault ? '' : `, through the proxy ${proxy.host}`;
  if (caller.aborted && error === caller.reason)
    return new SourceFault('deadline', `${name} did not respond in time${via}`, cause);
  if (timeout.aborted && error === timeout.reason)
    return new SourceFault(
      unavailableCodeOf(context),
      `${name} did not respond within ${requestTimeout} ms${via}`,
      cause,
    );
  const classified = classify(error, context);
  if (classified === undefined) return error;
  const [code, sentence, remedy] = classified;
  // A forbidden address stops the request before it is sent, unless a redirect led there.
  const asked = !(error instanceof AddressForbidden || isLocal(error)) || isRedirected;
  const noConnection = code === 'unavailable' && context.isConnectError;
  return new SourceFault(code, `${name}: ${sentence}${via}`, { asked, noConnection, remedy, cause: error });
};

/** True if a connection ended before any response: a server may close a kept-alive connection as a request arrives. */
export const isLostConnection = (error: unknown): boolean =>
  error instanceof errors.SocketError || ['ECONNRESET', 'EPIPE'].includes(codeOf(error));
