import { messageOf } from '../base/index.ts';
import { CredentialProblem } from './kubeconfig/index.ts';
import { describeResource, type Method, type Resource, ruleFor } from './resource.ts';

/** Thrown if a request to the API server fails. `message` is one line, contains no secrets, and says what to do. */
export class ClusterFault extends Error {
  override readonly name = 'ClusterFault';
  readonly method: Method;
  /** Plural, namespace and name: `secrets sailmark/sailmark-certificates`. */
  readonly resource: string;
  /** The HTTP status; undefined: there was no response. */
  readonly status: number | undefined;
  /** The response has more bytes than the request allows. */
  readonly isTooLong: boolean;

  constructor({ method, resource, status, isTooLong = false }: FaultTarget, why: string, cause?: unknown) {
    super(`${method} ${describeResource(resource)}: ${why}`, { cause });
    this.method = method;
    this.resource = describeResource(resource);
    this.status = status;
    this.isTooLong = isTooLong;
  }
}

interface FaultTarget extends RequestTarget {
  readonly status?: number | undefined;
  readonly isTooLong?: boolean;
}

/** The method and resource of a request. */
export interface RequestTarget {
  readonly method: Method;
  readonly resource: Resource;
}

/** Bounds the part of a message of the API server that is quoted. */
const MAX_QUOTED_LENGTH = 300;

/** Returns the message of a `Status` (meta/v1), on one line; empty if the body is not one. */
const quoteStatus = (body: string): string => {
  let message: unknown;
  try {
    message = (JSON.parse(body) as { readonly message?: unknown } | null)?.message;
  } catch {
    return '';
  }
  return typeof message === 'string'
    ? message
        .replaceAll(/[\p{Cc}\s]+/gu, ' ')
        .trim()
        .slice(0, MAX_QUOTED_LENGTH)
    : '';
};

const sentenceFor = ({ method, resource }: RequestTarget, status: number): string => {
  if (status === 401) return 'the API server does not accept the credentials of sailmark';
  if (status === 403) return `the API server forbids it; it requires ${ruleFor(method, resource)}`;
  if (status === 404) return 'not found';
  if (status === 409) return 'it was changed by another client in the meantime';
  if (status === 410) return 'the list has expired and cannot be continued';
  if (status === 429) return 'the API server is overloaded and kept asking for a retry';
  return `the API server returned ${status}`;
};

/** Returns the fault for the status of a response. */
export const faultOfStatus = (target: RequestTarget, status: number, body: string): ClusterFault => {
  const quoted = quoteStatus(body);
  const suffix = quoted === '' ? '' : ` (${quoted})`;
  return new ClusterFault({ ...target, status }, `${sentenceFor(target, status)}${suffix}`);
};

/** Codes of a connection that was lost before the response ended. */
const LOST_CONNECTION_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Returns the innermost code of an error: the client wraps the errors of Node. */
const codeOf = (error: unknown): string => {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  if (cause instanceof Error) return codeOf(cause);
  return typeof code === 'string' ? code : '';
};

const innermostMessage = (error: unknown): string => {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Error ? innermostMessage(cause) : messageOf(error);
};

export const isLostConnection = (error: unknown): boolean => LOST_CONNECTION_CODES.has(codeOf(error));

/** Returns the fault for an error of the client; `isAborted`: the request was aborted, or its time was up. */
export const faultOfThrown = (target: RequestTarget, error: unknown, isAborted: boolean): ClusterFault => {
  if (error instanceof ClusterFault) return error;
  if (error instanceof CredentialProblem) return new ClusterFault(target, error.message, error);
  if (isAborted) return new ClusterFault(target, 'the API server did not respond in time', error);
  const code = codeOf(error);
  const why = code === '' ? innermostMessage(error) : code;
  return new ClusterFault(target, `no connection to the API server (${why})`, error);
};
