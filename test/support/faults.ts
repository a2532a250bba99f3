import type { Fault, TestRegistry } from './registry-server.ts';

/** Applies a fault to the requests whose method and path match, as in `HEAD /v2/istio/pilot/manifests/1.28.0`. */
export const onlyTo =
  (pattern: RegExp, fault: Fault): Fault =>
  (request, response) =>
    pattern.test(`${request.method} ${request.url}`) && fault(request, response);

/** Redirects to the same path of another server. */
export const redirectTo =
  ({ origin }: Pick<TestRegistry, 'origin'>): Fault =>
  (request, response) => {
    response.writeHead(307, { location: `${origin}${request.url}` }).end();
    return true;
  };

/** Responds 401 with this challenge; undefined: with none. */
export const challenge =
  (header: string | undefined): Fault =>
  (_request, response) => {
    response.writeHead(401, header === undefined ? {} : { 'www-authenticate': header }).end();
    return true;
  };

/** Applies one fault after the other, in turns, from the first request on. */
export const alternate = (...faults: readonly Fault[]): Fault => {
  let count = 0;
  return (request, response) => {
    const fault = faults[count % faults.length];
    count += 1;
    return fault?.(request, response) === true;
  };
};
