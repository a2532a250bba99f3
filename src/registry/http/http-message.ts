import type { NamedBy } from './agents.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Maximum bytes of the response's body. */
  readonly limit: number;
  /** Maximum bytes to read of an error's body; a longer one is discarded. Undefined: every one is discarded. */
  readonly errorLimit?: number | undefined;
  /** The origin of the URL's host name; the target of a redirect to another host is named by a response. */
  readonly namedBy: NamedBy;
}

export interface HttpResponse {
  readonly status: number;
  /** `backend`: a host that the registry only referred to responded, the target of a redirect or a token service. */
  readonly by: 'registry' | 'backend';
  header(name: string): string | undefined;
  /** Returns all values of a header that may be repeated. */
  headers(name: string): readonly string[];
  /** Empty, except for status 200 to a GET or POST, and for errors if the request has an `errorLimit`. */
  readonly body: Uint8Array;
}

/** The caller of a request. */
export interface Caller {
  /** The caller's deadline. */
  readonly signal: AbortSignal;
  /** Called once for each HTTP request sent. */
  readonly onRequest: () => void;
  /** Called when the wait for a response of the registry itself begins; the function that it returns, when it ends. */
  readonly onWait: () => () => void;
}
