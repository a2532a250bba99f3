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
import { createReadContext, type ReadContext, type ReadFile } from './read-context.ts';
import { readRegistries } from './registries.ts';
import { readRules } from './rules.ts';
import { readServer } from './server.ts';
import { readLog } from './transparency-log.ts';

const KEY_ORDER: readonly string[] = Object.keys(configurationSchema.properties);
const { compare } = new Intl.Collator('en', { numeric: true });

const topOf = ({ path }: Problem): number => KEY_ORDER.indexOf(/^[^.[]*/.exec(path)?.[0] ?? '');

/** Unknown keys first, then by key as the interface lists them. */
const inOrder = (problems: readonly Problem[]): readonly Problem[] =>
  problems.toSorted((one, other) => topOf(one) - topOf(other) || compare(one.path, other.path));

const readAll = async (reading: ReadContext): Promise<Config> => {
  const places = readPlaces(reading);
  const tagMemory = { min: 0, max: HOUR_MS, fallback: defaultConfig.tagMemory };
  return {
    keys: await readKeys(reading, places),
    requirePinnedKeys: reading.part('requirePinnedKeys') ?? defaultConfig.requirePinnedKeys,
    places,
    registries: await readRegistries(reading),
    registryDefaults: {},
    rules: readRules(reading),
    evidence: readEvidence(reading),
    offline: false,
    ...(await readLog(reading)),
    tagMemory: readDuration(reading.part('tagMemory'), 'tagMemory', tagMemory, reading.note),
    limits: readLimits(reading),
    server: readServer(reading),
    ...readKubernetes(reading),
  };
};

/** What `parseConfig` does, once everything it needs is loaded. */
export const readConfig = async (text: string, readFile: ReadFile): Promise<Config> => {
  const parsed = parseYaml(text);
  const problems: Problem[] = [];
  const note = (path: string, message: string): void => void problems.push({ path, message });
  checkSchema(parsed, note);
  if (problems.some(({ path }) => path === '')) throw new ConfigError(problems);
  const unsound = problems.map(({ path }) => path);
  const config = await readAll(
    createReadContext(parsed as Partial<ConfigurationFile>, unsound, note, readFile),
  );
  checkMatchCondition(config, note);
  if (problems.length > 0) throw new ConfigError(inOrder(problems));
  return deepFreeze(config);
};
