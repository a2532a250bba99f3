import { DAY_MS } from '../base/index.ts';
import { type Exemption, endOf } from '../policy/index.ts';
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';

/** Exemptions are announced this long before they end. */
const EXPIRY_WARNING_MS = 14 * DAY_MS;

export interface EndingExemption {
  /** Its index in the configuration's list. */
  readonly index: number;
  readonly exemption: Exemption;
  /** 00:00 UTC after its date, in milliseconds. */
  readonly endsAt: number;
  readonly ended: boolean;
}

/** Returns the exemptions that ended before `now` or end within 14 days of it. */
export const endingExemptions = ({ rules }: Config, now: number): readonly EndingExemption[] =>
  rules.exemptions
    .map((exemption, index) => ({ index, exemption, endsAt: endOf(exemption) }))
    .filter(({ endsAt }) => endsAt - now <= EXPIRY_WARNING_MS)
    .map((ending) => ({ ...ending, ended: ending.endsAt <= now }));

const days = (milliseconds: number): string => {
  const count = Math.ceil(milliseconds / DAY_MS);
  return count === 1 ? '1 day' : `${count} days`;
};

const exemptionWarnings = (config: Config, now: number): readonly Problem[] =>
  endingExemptions(config, now).map(({ index, exemption, endsAt, ended }) => ({
    path: `exemptions[${index}]`,
    message: ended
      ? `ended after ${exemption.expires} (UTC) and has no effect any more: remove it`
      : `ends after ${exemption.expires} (UTC), within ${days(endsAt - now)} (owner: ${exemption.owner})`,
  }));

const keyWarnings = ({ keys }: Config): readonly Problem[] =>
  keys.flatMap(({ location }) =>
    location.kind === 'url' && location.spkiSha256 === undefined
      ? [
          {
            path: 'keys',
            message: `has ${location.url} without a pin: the key that it serves when this process starts is trusted`,
          },
        ]
      : [],
  );

const plainHttpWarnings = ({ registries }: Config): readonly Problem[] =>
  registries.flatMap(({ plainHttp, dockerConfig, providers, pullSecrets }, index) =>
    plainHttp === true && [dockerConfig, providers, pullSecrets].some((source) => source !== undefined)
      ? [{ path: `registries[${index}]`, message: 'sends its credentials over plain HTTP' }]
      : [],
  );

const pullSecretWarnings = ({ registries, kubernetes }: Config): readonly Problem[] =>
  kubernetes !== undefined
    ? []
    : registries.flatMap(({ pullSecrets }, index) =>
        pullSecrets === undefined
          ? []
          : [
              {
                path: `registries[${index}].credentials.pullSecrets`,
                message: 'are Secrets of a cluster, whose API is used only if `kubernetes` names a namespace',
              },
            ],
      );

const outageWarnings = ({ rules }: Config): readonly Problem[] =>
  (['enforce', 'critical'] as const)
    .filter((mode) => rules.undetermined[mode] === 'allow')
    .map((mode) => ({
      path: `undetermined.${mode}`,
      message: 'lets images that were never verified start while their registry is down',
    }));

/** Returns the settings of a configuration that are allowed but risky or about to expire, at the time `now`. */
export const warningsOf = (config: Config, now: number): readonly Problem[] => [
  ...keyWarnings(config),
  ...plainHttpWarnings(config),
  ...pullSecretWarnings(config),
  ...outageWarnings(config),
  ...exemptionWarnings(config, now),
];
