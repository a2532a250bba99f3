import { DAY_MS } from '../base/index.ts';
import { type Exemption, endOf } from '../policy/index.ts';
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';

const ANNOUNCED = 14 * DAY_MS;

export interface EndingExemption {
  /** Its place in the configuration's list. */
  readonly index: number;
  readonly exemption: Exemption;
  /** 00:00 UTC after its date, in milliseconds. */
  readonly endsAt: number;
  readonly ended: boolean;
}

/** The exemptions that ended before `now`, or end within 14 days of it. */
export const endingExemptions = ({ rules }: Config, now: number): readonly EndingExemption[] =>
  rules.exemptions
    .map((exemption, index) => ({ index, exemption, endsAt: endOf(exemption) }))
    .filter(({ endsAt }) => endsAt - now <= ANNOUNCED)
    .map((ending) => ({ ...ending, ended: ending.endsAt <= now }));

const days = (milliseconds: number): string => {
  const count = Math.ceil(milliseconds / DAY_MS);
  return count === 1 ? '1 day' : `${count} days`;
};

const ofExemptions = (config: Config, now: number): readonly Problem[] =>
  endingExemptions(config, now).map(({ index, exemption, endsAt, ended }) => ({
    path: `exemptions[${index}]`,
    message: ended
      ? `ended with ${exemption.expires} and lifts nothing: remove it`
      : `ends with ${exemption.expires} (UTC), within ${days(endsAt - now)} (owner: ${exemption.owner})`,
  }));

const ofKeys = ({ keys }: Config): readonly Problem[] =>
  keys.flatMap(({ location: place }) =>
    place.kind === 'url' && place.spkiSha256 === undefined
      ? [
          {
            path: 'keys',
            message: `has ${place.url} without a pin: what it serves when this process starts is trusted`,
          },
        ]
      : [],
  );

const ofRegistries = ({ registries }: Config): readonly Problem[] =>
  registries.flatMap(({ plainHttp, dockerConfig, providers, pullSecrets }, index) =>
    plainHttp === true && [dockerConfig, providers, pullSecrets].some((one) => one !== undefined)
      ? [{ path: `registries[${index}]`, message: 'sends its credentials over plain HTTP' }]
      : [],
  );

const ofPullSecrets = ({ registries, kubernetes }: Config): readonly Problem[] =>
  kubernetes !== undefined
    ? []
    : registries.flatMap(({ pullSecrets }, index) =>
        pullSecrets === undefined
          ? []
          : [
              {
                path: `registries[${index}].credentials.pullSecrets`,
                message:
                  'are kept by a cluster, whose API is asked only where `kubernetes` names a namespace',
              },
            ],
      );

const ofOutages = ({ rules }: Config): readonly Problem[] =>
  (['enforce', 'critical'] as const)
    .filter((where) => rules.undetermined[where] === 'allow')
    .map((where) => ({
      path: `undetermined.${where}`,
      message: 'lets images start that nothing is known of while their registry is down',
    }));

/** What a configuration may say and its owner should know, at this time. */
export const warningsOf = (config: Config, now: number): readonly Problem[] => [
  ...ofKeys(config),
  ...ofRegistries(config),
  ...ofPullSecrets(config),
  ...ofOutages(config),
  ...ofExemptions(config, now),
];
