import { join } from 'node:path';
import { SourceFault } from '../source.ts';
import type { CredentialSource } from './credentials.ts';
import { credentialsFor } from './docker-config.ts';
import { createImageTest, parseImagePattern } from './image-pattern.ts';
import { createProviderCache } from './provider-cache.ts';
import { type ProviderResponse, parseProviderResponse } from './provider-response.ts';
import { type Environment, runProgram } from './run-program.ts';

/** One provider of a kubelet `CredentialProviderConfig` (kubelet.config.k8s.io/v1). */
export interface CredentialProvider {
  /** The name of an executable, without a slash. */
  readonly name: string;
  /** Patterns for the images that the provider is run for. */
  readonly matchImages: readonly string[];
  /** Milliseconds to cache a response that does not state a duration; 0: it is not cached. */
  readonly defaultCacheDuration: number;
  /** The version of request and response, `credentialprovider.kubelet.k8s.io/v1`. Earlier ones have the same shape. */
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

/** The programs that the kubelet would run for credentials, and their directory. */
export interface CredentialProviders {
  /** The file that they were read from, for messages. */
  readonly config: string;
  /** The directory of the executables; no other is searched. */
  readonly binDir: string;
  readonly providers: readonly CredentialProvider[];
}

/** Runs a provider once. Rejects with a fault that names the provider and the remedy. */
const createRunProvider = (
  { config, binDir }: CredentialProviders,
  provider: CredentialProvider,
  environment: Environment,
) => {
  const { name, apiVersion, args, env } = provider;
  const { PATH, HOME } = environment;
  const ownEnvironment = {
    PATH,
    HOME,
    ...Object.fromEntries(env.map((variable) => [variable.name, variable.value])),
  };
  const faultOf = (problem: string): SourceFault => {
    const detail = `the credential provider ${name} in ${binDir} ${problem}; check it and its entry in ${config}`;
    return new SourceFault('refused', detail, { asked: false });
  };
  return async (image: string): Promise<ProviderResponse> => {
    const input = JSON.stringify({ apiVersion, kind: 'CredentialProviderRequest', image });
    const result = await runProgram({ path: join(binDir, name), args, environment: ownEnvironment, input });
    if (result.kind === 'failed') throw faultOf(result.problem);
    if (result.code !== 0) throw faultOf(`failed (exit code ${result.code})`);
    const response = parseProviderResponse(result.output, apiVersion);
    if (typeof response === 'string') throw faultOf(response);
    return response;
  };
};

/**
 * Gets credentials from one provider by the kubelet's exec protocol (KEP-2133, kubelet-credentialprovider.v1). Its
 * environment is `PATH`, `HOME` and the variables of its configuration.
 */
const createProviderCredentials = (
  providers: CredentialProviders,
  provider: CredentialProvider,
  environment: Environment,
  now: () => number,
): CredentialSource => {
  const tests = provider.matchImages.map(parseImagePattern).map(createImageTest);
  const run = createRunProvider(providers, provider, environment);
  const find = createProviderCache(run, provider.defaultCacheDuration, now);
  return async (repository) => {
    const target = parseImagePattern(repository);
    if (!tests.some((matches) => matches(target))) return [];
    return credentialsFor((await find(repository)).entries, repository);
  };
};

/** Creates the sources for the providers of one configuration, in its order. */
export const createProvidersCredentials = (
  providers: CredentialProviders,
  environment: Environment,
  now: () => number,
): readonly CredentialSource[] =>
  providers.providers.map((provider) => createProviderCredentials(providers, provider, environment, now));
