import { LRUCache } from 'lru-cache';
import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.ts';
import type { Resource } from './registry-request.ts';
import { PauseRequested } from './response-status.ts';
import { SourceFault } from './source.ts';

/**
 * The circuit breakers of one registry host. The host has one, which counts connections alone. Each resource that failed
 * has one of its own, because its failure is an outage for itself only: a repository may hold one broken or rate-limited tag
 * among others, and a tag that was not asked for must not pass for one that did not respond.
 */
export interface Availability {
  /** Throws a fault if the host, or this resource, is not to be asked now. */
  check(resource: Resource): void;
  /** Records that the registry itself responded to a request for the resource. */
  responded(resource: Resource): void;
  /** Records how a request for the resource failed. */
  failed(resource: Resource, error: unknown): void;
  /** Tells if connections to the host are made, and how many resources are not asked for now. */
  state(): { readonly up: boolean; readonly failing: number };
}

/** Bounds memory. Who fills the table makes us ask again early, and nothing else. */
const MAX_FAILING_RESOURCES = 1_000;

const keyOf = ({ path, resource }: Resource): string => `${path}/${resource.replace(/\?.*$/, '')}`;

/** Creates the breakers of one host. */
export const createAvailability = (host: string, now: () => number): Availability => {
  const connections = createCircuitBreaker(host, now);
  const failing = new LRUCache<string, CircuitBreaker>({ max: MAX_FAILING_RESOURCES });
  const breakerOf = (resource: Resource): CircuitBreaker => {
    const breaker = failing.get(keyOf(resource)) ?? createCircuitBreaker(`${host}/${resource.path}`, now);
    failing.set(keyOf(resource), breaker);
    return breaker;
  };
  const responded = (resource: Resource): void => {
    connections.succeeded();
    failing.get(keyOf(resource))?.succeeded();
  };
  return {
    check(resource) {
      connections.check();
      failing.get(keyOf(resource))?.check();
    },
    responded,
    state: () => ({
      up: !connections.isFailing(),
      failing: [...failing.values()].filter((breaker) => breaker.isOpen()).length,
    }),
    failed(resource, error) {
      // Without a request, or with a caller who left, nothing was observed.
      if (!(error instanceof SourceFault) || !error.asked || error.code === 'deadline') return;
      if (error.noConnection) return connections.failed();
      if (error instanceof PauseRequested) breakerOf(resource).pauseRequested(error.pause);
      else if (error.code === 'unavailable') breakerOf(resource).failed();
      else return responded(resource);
      connections.succeeded();
    },
  };
};
