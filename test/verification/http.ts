import { createRegistries, type Registries } from '../../src/registry/index.ts';

/** Registries over plain HTTP to one host of loopback. */
export const registriesOf = (host: string): Registries =>
  createRegistries({
    settings: [{ host, plainHttp: true }],
    limits: {
      manifestBytes: 4 * 1024 * 1024,
      blobBytes: 1024 * 1024,
      tokenBytes: 64 * 1024,
      redirects: 5,
      requestTimeout: 10_000,
      requestsPerRegistry: 64,
    },
    now: Date.now,
  });
