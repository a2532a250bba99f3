import { createSecureContext, type SecureContext } from 'node:tls';
import type { ReportError } from '../../base/index.ts';
import { type Authorities, createAuthorityFile } from './authority-file.ts';
import { readSystemCertificates } from './system-certificates.ts';

/** Returns the authorities that a TLS connection trusts, the same object until they change. */
export type FindSecureContext = () => Promise<SecureContext>;

export interface Trust {
  /** The system's authorities, and those of all registries. */
  readonly forAll: FindSecureContext;
  /** These, and those of one registry. */
  with(own: Authorities): FindSecureContext;
}

/** Creates the trust of one process. The system's store is read at the first connection, and once. */
export const createTrust = ({
  environment,
  authorities,
  report,
}: {
  /** The environment of this process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Those of all registries; undefined: none. */
  readonly authorities: Authorities | undefined;
  readonly report: ReportError;
}): Trust => {
  let system: Promise<readonly string[]> | undefined;
  const createContext = async (texts: readonly string[]): Promise<SecureContext> => {
    system ??= readSystemCertificates(environment);
    // As in Go, whoever is named is trusted, whether or not another authority issued it.
    return createSecureContext({ ca: [...(await system), ...texts], allowPartialTrustChain: true });
  };
  const createFind = (files: readonly (() => Promise<string>)[]): FindSecureContext => {
    let last: { readonly key: string; readonly context: Promise<SecureContext> } | undefined;
    return async () => {
      const texts = await Promise.all(files.map((read) => read()));
      const key = texts.join('\n');
      if (last?.key !== key) last = { key, context: createContext(texts) };
      return last.context;
    };
  };
  const shared = authorities === undefined ? [] : [createAuthorityFile(authorities, report)];
  return {
    forAll: createFind(shared),
    with: (own) => createFind([...shared, createAuthorityFile(own, report)]),
  };
};
