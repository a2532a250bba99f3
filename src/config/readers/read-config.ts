import { HOUR_MS } from '../../base/index.ts';
import { checkMatchCondition } from '../check-match-condition.ts';
import { checkSchema } from '../check-schema.ts';
import { type Config, deepFreeze } from '../config.ts';
import { defaultConfig } from '../default-config.ts';
import { parseYaml } from '../parse-yaml.ts';
import { ConfigError, type Problem } from '../problem.ts';
import { type ConfigurationFile, configurationSchema } from '../schema/configuration-schema.ts';
import { readEvidence } from './evidence.ts';
import { readKeys } from './keys.ts';
import { readKubernetes } from './kubernetes.ts';
import { readDuration, readLimits } from './limits.ts';
import { readPlaces } from './places.ts';
import {
  type AllRead,
  createReadContext,
  type ReadContext,
  type ReadFile,
  type SoundFile,
} from './read-context.ts';
import { readRegistries, readRegistryDefaults } from './registries.ts';
import { readRules } from './rules.ts';
import { readServer } from './server.ts';
import { readTransparencyLog } from './transparency-log.ts';

const KEY_ORDER: readonly string[] = Object.keys(configurationSchema.properties);
const { compare } = new Intl.Collator('en', { numeric: true });

const keyIndexOf = ({ path }: Problem): number => KEY_ORDER.indexOf(/^[^.[]*/.exec(path)?.[0] ?? '');

/** Unknown keys first, then in the order of the schema's keys. */
const sortProblems = (problems: readonly Problem[]): readonly Problem[] =>
  problems.toSorted((a, b) => keyIndexOf(a) - keyIndexOf(b) || compare(a.path, b.path));

const TAG_MEMORY = { min: 0, max: HOUR_MS, fallback: defaultConfig.tagMemory };

/** `apiVersion` and `kind` have one value each, which the schema has checked. */
const readFileKeys = async (
  file: Omit<SoundFile, 'apiVersion' | 'kind'>,
  context: ReadContext,
): Promise<Config> => {
  const {
    keys,
    requirePinnedKeys,
    hubs,
    replaceHubs,
    mirrors,
    registries,
    registryDefaults,
    transparencyLog,
    trustedRoot,
    componentProof,
    undetermined,
    lookAlikes,
    unrecognised,
    requireDigest,
    pin,
    revoked,
    exemptions,
    evidence,
    tagMemory,
    limits,
    server,
    kubernetes,
    ...unread
  } = file;
  unread satisfies AllRead;
  const places = readPlaces({ hubs, replaceHubs, mirrors }, context);
  return {
    keys: await readKeys({ keys, requirePinnedKeys }, places, context),
    requirePinnedKeys: requirePinnedKeys ?? defaultConfig.requirePinnedKeys,
    places,
    registries: await readRegistries(registries, context),
    registryDefaults: await readRegistryDefaults(registryDefaults ?? {}, context),
    rules: readRules(
      { undetermined, lookAlikes, unrecognised, requireDigest, pin, revoked, exemptions },
      context,
    ),
    evidence: readEvidence(evidence, context),
    offline: false,
    ...(await readTransparencyLog({ transparencyLog, trustedRoot }, context)),
    componentProof: componentProof ?? defaultConfig.componentProof,
    tagMemory: readDuration(tagMemory, 'tagMemory', TAG_MEMORY, context.note),
    limits: readLimits(limits, context),
    server: readServer(server, context),
    ...readKubernetes(kubernetes, context),
  };
};

/** Does the work of `parseConfig`, in a module of its own because it loads the schema and its checker. */
export const readConfig = async (text: string, readFile: ReadFile): Promise<Config> => {
  const parsed = parseYaml(text);
  const problems: Problem[] = [];
  const note = (path: string, message: string): void => void problems.push({ path, message });
  checkSchema(parsed, note);
  if (problems.some(({ path }) => path === '')) throw new ConfigError(problems);
  const unsound = problems.map(({ path }) => path);
  const { file, context } = createReadContext(parsed as Partial<ConfigurationFile>, unsound, note, readFile);
  const config = await readFileKeys(file, context);
  checkMatchCondition(config, note);
  if (problems.length > 0) throw new ConfigError(sortProblems(problems));
  return deepFreeze(config);
};
