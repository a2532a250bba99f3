import type { CertificateSettings, Config, KubernetesSettings } from '../config.ts';
import type { Note } from '../problem.ts';
import { formatQuantity } from '../quantity.ts';
import type { ConfigurationFile } from '../schema/configuration-schema.ts';
import { readDuration } from './limits.ts';
import type { ReadContext } from './read-context.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;

const WARM_UP = { min: 0, max: MINUTE, fallback: 5 * SECOND };
const CA_LIFETIME = { min: 30 * SECOND, max: 10 * YEAR, fallback: YEAR };
const LIFETIME = { min: 10 * SECOND, max: YEAR, fallback: 30 * 24 * HOUR };
const OVERLAP = { min: SECOND, max: 24 * HOUR, fallback: 10 * MINUTE };

const AT = 'kubernetes.certificates';

type Given = NonNullable<NonNullable<ConfigurationFile['kubernetes']>['certificates']>;

/** A CA that is replaced at two thirds of its life must still outlive the overlap and what it issued last. */
const checkTimes = ({ caLifetime, lifetime, overlap }: CertificateSettings, note: Note): void => {
  if (lifetime > caLifetime) note(`${AT}.lifetime`, 'must not be longer than caLifetime');
  const most = Math.floor(lifetime / 6);
  if (overlap > most)
    note(
      `${AT}.overlap`,
      `must be at most a sixth of lifetime, ${formatQuantity(most, 'milliseconds')}, so that it ends before a certificate does`,
    );
};

const readCertificates = (given: Given, note: Note): CertificateSettings => {
  const settings = {
    secret: given.secret,
    webhookConfiguration: given.webhookConfiguration,
    dnsNames: given.dnsNames,
    caLifetime: readDuration(given.caLifetime, `${AT}.caLifetime`, CA_LIFETIME, note),
    lifetime: readDuration(given.lifetime, `${AT}.lifetime`, LIFETIME, note),
    overlap: readDuration(given.overlap, `${AT}.overlap`, OVERLAP, note),
  };
  checkTimes(settings, note);
  return settings;
};

/** What of the cluster's API may be asked; nothing where the file does not name it. */
export const readKubernetes = ({ part, note }: ReadContext): { readonly kubernetes?: KubernetesSettings } => {
  const given = part('kubernetes');
  if (given?.namespace === undefined) return {};
  const { namespace, certificates, events = true } = given;
  const kubernetes: Config['kubernetes'] = {
    namespace,
    ...(certificates === undefined ? {} : { certificates: readCertificates(certificates, note) }),
    events,
    warmUp: readDuration(given.warmUp, 'kubernetes.warmUp', WARM_UP, note),
  };
  return { kubernetes };
};
