import { describeResource, type Method, type Resource, ruleFor } from './resource.ts';

/** Why the API server did not do what it was asked. `message` is one line, free of secrets, and says what to do. */
export class ClusterFault extends Error {
  override readonly name = 'ClusterFault';
  readonly method: Method;
  /** As in a sentence: `secrets sailmark/sailmark-certificates`. */
  readonly resource: string;
  /** Of the HTTP answer; undefined: there was none. */
  readonly status: number | undefined;

  constructor(
    { method, resource, status }: RequestTarget & { readonly status?: number | undefined },
    why: string,
    cause?: unknown,
  ) {
    super(`${method} ${describeResource(resource)}: ${why}`, { cause });
    this.method = method;
    this.resource = describeResource(resource);
    this.status = status;
  }
}

/** What was asked. */
export interface RequestTarget {
  readonly method: Method;
  readonly resource: Resource;
}

/** Characters that are quoted of what the API server says. */
const MOST_QUOTED = 300;

/** The message of a `Status` (meta/v1), on one line; empty where the body is none. */
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
        .slice(0, MOST_QUOTED)
    : '';
};

const sentenceFor = ({ method, resource }: RequestTarget, status: number): string => {
  if (status === 401) return 'the API server does not accept our credentials';
  if (status === 403) return `the API server forbids it; it takes ${ruleFor(method, resource)}`;
  if (status === 404) return 'it is not there';
  if (status === 409) return 'somebody else wrote it meanwhile';
  if (status === 410) return 'the list has grown too old to be continued';
  if (status === 429) return 'the API server asks us to wait, again and again';
  return `the API server answers ${status}`;
};

/** The fault of an answer that is not the one hoped for. */
export const faultOfStatus = (asked: RequestTarget, status: number, body: string): ClusterFault => {
  const quoted = quoteStatus(body);
  const said = quoted === '' ? '' : ` (${quoted})`;
  return new ClusterFault({ ...asked, status }, `${sentenceFor(asked, status)}${said}`);
};

/** Codes of a connection that ended before an answer did: what was asked may be asked again. */
const LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** The innermost code of an error: the client wraps what Node says. */
const codeOf = (error: unknown): string => {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  if (cause instanceof Error) return codeOf(cause);
  return typeof code === 'string' ? code : '';
};

export const isLostConnection = (error: unknown): boolean => LOST.has(codeOf(error));

/** The fault of a request that nothing came back to. */
export const faultOfThrown = (asked: RequestTarget, error: unknown, timeUp: boolean): ClusterFault => {
  if (error instanceof ClusterFault) return error;
  if (timeUp) return new ClusterFault(asked, 'the API server did not answer in time', error);
  const code = codeOf(error);
  const why = code === '' && error instanceof Error ? error.message : code;
  return new ClusterFault(asked, `no connection to the API server (${why})`, error);
};
