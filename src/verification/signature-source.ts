import type { Repository } from '../image/index.ts';
import type { Source } from '../registry/index.ts';
import { openRepository, type VerificationContext } from './context.ts';
import type { Flight } from './memory/single-flight.ts';

/** Where the signatures and the configuration of an image may be. */
export interface SignatureSource {
  readonly id: string;
  /** Undefined for evidence. */
  readonly registry: string | undefined;
  readonly open: (flight: Flight) => Source;
}

export const evidenceSource = (source: Source): SignatureSource => ({
  id: source.id,
  registry: undefined,
  open: () => source,
});

export const repositorySource = (context: VerificationContext, repository: Repository): SignatureSource => ({
  id: repository.name,
  registry: repository.registry,
  open: (flight) => openRepository(context, repository, flight),
});
