import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../base/index.ts';
import type {
  ActivationSettings,
  CertificateSettings,
  KubernetesSettings,
  SharedEvidenceSettings,
} from '../config.ts';
import type { Note } from '../problem.ts';
import { formatQuantity } from '../quantity.ts';
import type { ConfigurationFile } from '../schema/configuration-schema.ts';
import { readDuration } from './limits.ts';
import type { AllRead, ReadContext, SoundFile } from './read-context.ts';

const YEAR_MS = 365 * DAY_MS;

const WARM_UP = { min: 0, max: MINUTE_MS, fallback: 5 * SECOND_MS };
const CA_LIFETIME = { min: 30 * SECOND_MS, max: 10 * YEAR_MS, fallback: YEAR_MS };
const LIFETIME = { min: 10 * SECOND_MS, max: YEAR_MS, fallback: 30 * DAY_MS };
const OVERLAP = { min: SECOND_MS, max: DAY_MS, fallback: 10 * MINUTE_MS };

const AT = 'kubernetes.certificates';

type CertificatesFile = NonNullable<NonNullable<ConfigurationFile['kubernetes']>['certificates']>;
type ActivationFile = NonNullable<NonNullable<ConfigurationFile['kubernetes']>['activation']>;
type SharedEvidenceFile = NonNullable<NonNullable<ConfigurationFile['kubernetes']>['evidence']>;

/** A CA that is replaced at two thirds of its validity must still outlive the overlap and its last certificate. */
const checkTimes = ({ caLifetime, lifetime, overlap }: CertificateSettings, note: Note): void => {
  if (lifetime > caLifetime) note(`${AT}.lifetime`, 'must not be longer than caLifetime');
  const maxOverlap = Math.floor(lifetime / 6);
  if (overlap > maxOverlap)
    note(
      `${AT}.overlap`,
      `must be at most a sixth of lifetime, ${formatQuantity(maxOverlap, 'milliseconds')}, so that it ends before a certificate does`,
    );
};

const readCertificates = (file: CertificatesFile, note: Note): CertificateSettings => {
  const {
    secret,
    webhookConfiguration,
    mutatingWebhookConfiguration,
    dnsNames,
    caLifetime,
    lifetime,
    overlap,
    ...unread
  } = file;
  unread satisfies AllRead;
  const settings = {
    secret,
    webhookConfiguration,
    ...(mutatingWebhookConfiguration === undefined ? {} : { mutatingWebhookConfiguration }),
    dnsNames,
    caLifetime: readDuration(caLifetime, `${AT}.caLifetime`, CA_LIFETIME, note),
    lifetime: readDuration(lifetime, `${AT}.lifetime`, LIFETIME, note),
    overlap: readDuration(overlap, `${AT}.overlap`, OVERLAP, note),
  };
  checkTimes(settings, note);
  return settings;
};

/** Tags and images are merged by different rules, so no object may hold both. */
const readSharedEvidence = (file: SharedEvidenceFile, note: Note): SharedEvidenceSettings => {
  const { tags, images, ...unread } = file;
  unread satisfies AllRead;
  const names = [tags, ...images];
  if (new Set(names).size < names.length) note('kubernetes.evidence', 'must name each ConfigMap once');
  return { tags, images };
};

const readActivation = ({ webhookConfiguration, ...unread }: ActivationFile): ActivationSettings => {
  unread satisfies AllRead;
  return { webhookConfiguration };
};

/** Reads how the cluster's API is used; it is not used at all if the file does not name a namespace. */
export const readKubernetes = (
  file: SoundFile['kubernetes'],
  { note }: ReadContext,
): { readonly kubernetes?: KubernetesSettings } => {
  const {
    namespace,
    certificates,
    activation,
    evidence,
    scanResult,
    events = true,
    warmUp,
    ...unread
  } = file ?? {};
  unread satisfies AllRead;
  if (namespace === undefined) return {};
  const kubernetes: KubernetesSettings = {
    namespace,
    ...(certificates === undefined ? {} : { certificates: readCertificates(certificates, note) }),
    ...(activation === undefined ? {} : { activation: readActivation(activation) }),
    ...(evidence === undefined ? {} : { evidence: readSharedEvidence(evidence, note) }),
    ...(scanResult === undefined ? {} : { scanResult }),
    events,
    warmUp: readDuration(warmUp, 'kubernetes.warmUp', WARM_UP, note),
  };
  return { kubernetes };
};
