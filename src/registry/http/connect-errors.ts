import type { buildConnector } from 'undici';

/** Tells the errors that ended an attempt to connect, TLS included, from those of a connection that stood. */
export interface ConnectErrors {
  /** Returns a connector whose errors are remembered. */
  watch(connect: buildConnector.connector): buildConnector.connector;
  has(error: unknown): boolean;
}

export const createConnectErrors = (): ConnectErrors => {
  const errors = new WeakSet<Error>();
  return {
    watch: (connect) => (target, callback) =>
      connect(target, (...result) => {
        if (result[0] !== null) errors.add(result[0]);
        callback(...result);
      }),
    has: (error) => error instanceof Error && errors.has(error),
  };
};
