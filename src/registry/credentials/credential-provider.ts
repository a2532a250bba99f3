import { join } from 'node:path';
import { SourceFault } from '../source.ts';
import type { CredentialSource } from './credentials.ts';
import { credentialsFor } from './docker-config.ts';
import { matchesImagePattern, parseImagePattern } from './image-pattern.ts';
import { createProviderCache } from './provider-cache.ts';
import { type ProviderResponse, parseProviderResponse } from './provider-response.ts';
import { type Environment, runProgram } from './run-program.ts';

/** One provider of a kubelet `CredentialProviderConfig` (kubelet.config.k8s.io/v1). */
export interface CredentialProvider {
  /** The name of an executable, without a slash. */
  readonly name: string;
  /** Patterns for the images that it is asked about. */
  readonly matchImages: readonly string[];
  /** Milliseconds that an answer stands which does not say how long; 0: not at all. */
  readonly defaultCacheDuration: number;
  /** Of request and answer: `credentialprovider.kubelet.k8s.io/v1`. Those before it have the same shape. */
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

/** The programs that the kubelet would ask for credentials, and where they are. */
export interface CredentialProviders {
  /** The file they were read from, for messages. */
  readonly config: string;
  /** The directory of the executables. No other place is looked into. */
  readonly binDir: string;
  readonly providers: readonly CredentialProvider[];
}

/** Runs a provider once. Rejects with a fault that names it and what to do. */
const createAskProvider = (
  { config, binDir }: CredentialProviders,
  provider: CredentialProvider,
  environment: Environment,
) => {
  const { name, apiVersion, args, env } = provider;
  const { PATH, HOME } = environment;
  const given = { PATH, HOME, ...Object.fromEntries(env.map((one) => [one.name, one.value])) };
  const faultOf = (why: string): SourceFault => {
    const detail = `the credential provider ${name} in ${binDir} ${why}; check it and its entry in ${config}`;
    return new SourceFault('refused', detail, { asked: false });
  };
  return async (image: string): Promise<ProviderResponse> => {
    const input = JSON.stringify({ apiVersion, kind: 'CredentialProviderRequest', image });
    const ending = await runProgram({ path: join(binDir, name), args, environment: given, input });
    if (ending.kind === 'failed') throw faultOf(ending.why);
    if (ending.code !== 0) throw faultOf(`fails (exit code ${ending.code})`);
    const answer = parseProviderResponse(ending.output, apiVersion);
    if (typeof answer === 'string') throw faultOf(answer);
    return answer;
  };
};

/**
 * Credentials from one provider by the kubelet's exec protocol (KEP-2133, kubelet-credentialprovider.v1). Of the
 * environment it is given `PATH` and `HOME`, and what its configuration names.
 */
const createProviderCredentials = (
  providers: CredentialProviders,
  provider: CredentialProvider,
  environment: Environment,
  now: () => number,
): CredentialSource => {
  const globs = provider.matchImages.map(parseImagePattern);
  const ask = createAskProvider(providers, provider, environment);
  const find = createProviderCache(ask, provider.defaultCacheDuration, now);
  return async (repository) => {
    const place = parseImagePattern(repository);
    if (!globs.some((glob) => matchesImagePattern(glob, place))) return [];
    return credentialsFor((await find(repository)).entries, repository);
  };
};

/** The providers of one configuration, in its order. */
export const createProvidersCredentials = (
  providers: CredentialProviders,
  environment: Environment,
  now: () => number,
): readonly CredentialSource[] =>
  providers.providers.map((provider) => createProviderCredentials(providers, provider, environment, now));
