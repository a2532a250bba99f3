import { type CreateTransport, SourceFault } from '../../src/registry/index.ts';

const FAILURES = 5;
const OPEN_MS = 5_000;

/** A planted breach: after five failures in a row no request is sent to a host, whichever repository failed. */
export const withSharedBreaker = (createTransport: CreateTransport, now: () => number): CreateTransport => {
  return (options) => {
    const transport = createTransport(options);
    let failures = 0;
    let openUntil = 0;
    const failed = (): void => {
      failures += 1;
      if (failures >= FAILURES) openUntil = now() + OPEN_MS;
    };
    return {
      ...transport,
      async send(request, caller) {
        if (now() < openUntil)
          throw new SourceFault('unavailable', `${options.name} failed ${failures} times in a row`, {
            asked: false,
          });
        try {
          const response = await transport.send(request, caller);
          if (response.status >= 500) failed();
          else failures = 0;
          return response;
        } catch (error) {
          if (error instanceof SourceFault && error.code === 'unavailable') failed();
          throw error;
        }
      },
    };
  };
};
