import { type JsonObject, memberOf, textOf } from '../../base/index.ts';
import type { Labels } from '../namespaces/selector.ts';
import type { ConfiguredImage } from '../scan-result.ts';
import type { Injector } from './injectors.ts';
import {
  type Configuration,
  type JudgeConfigured,
  judgeConfiguration,
  nameOfObject,
  unknownRow,
} from './judge-configured.ts';
import { type MeshSettings, parseMeshConfig, withImageType } from './mesh-config.ts';
import type { PreflightReader } from './preflight-reader.ts';

export interface InjectedOptions {
  readonly reader: PreflightReader;
  readonly judge: JudgeConfigured;
  /** The labels of every namespace; undefined: not known. */
  readonly namespaces: ReadonlyMap<string, Labels> | undefined;
  readonly proxyConfigs: readonly JsonObject[];
}

/** A place where an injector's ConfigMap is looked for. */
export interface InjectorPlace {
  readonly namespace: string;
  readonly revision: string;
  /** Undefined: no webhook names it, and it is no fault if nothing is there. */
  readonly injector: Injector | undefined;
  /** False: the webhooks could not be read, so it is not known who gets what is injected. */
  readonly areWebhooksKnown: boolean;
}

/** Bounds the work for image types that ProxyConfigs set: whoever may write to a namespace can make any number of them. */
export const MAX_PROXY_CONFIGS = 200;

/** The name of an object of a revision: those of the default one have none (istio/istio, chart istio-discovery). */
const nameFor = (base: string, revision: string): string =>
  revision === 'default' ? base : `${base}-${revision}`;

const namespacesOf = (
  { injector, areWebhooksKnown }: InjectorPlace,
  { namespaces }: InjectedOptions,
): readonly string[] | null => {
  if (!areWebhooksKnown || namespaces === undefined) return null;
  if (injector === undefined) return [];
  return [...namespaces].flatMap(([name, labels]) => (injector.isFor(labels) ? [name] : []));
};

/** The reason why an injector's ConfigMap does not say what is injected; undefined: it has values and templates. */
const problemOf = (object: JsonObject): string | undefined => {
  const data = memberOf(object, 'data');
  const config = textOf(memberOf(data, 'config')) ?? '';
  if (config.trim() === '') return 'data.config has no template, so what it injects is not known';
  return /(?<![\w./-])image["']?\s*:/.test(config)
    ? undefined
    : 'the templates in data.config name no image, so what they inject is not known';
};

/** An image type that a ProxyConfig sets, and the namespaces where it counts. */
interface TypeChange {
  readonly object: JsonObject;
  readonly imageType: string;
  readonly namespaces: readonly string[] | null;
}

/** Finds the image types that ProxyConfigs set for what this configuration injects, each once for one place. */
const typeChanges = (
  proxyConfigs: readonly JsonObject[],
  { namespaces }: Configuration,
  root: string,
): readonly TypeChange[] => {
  const changes = new Map<string, TypeChange>();
  for (const object of proxyConfigs.slice(0, MAX_PROXY_CONFIGS)) {
    const imageType = textOf(memberOf(memberOf(memberOf(object, 'spec'), 'image'), 'imageType')) ?? '';
    const namespace = textOf(memberOf(memberOf(object, 'metadata'), 'namespace')) ?? '';
    const isForAll = namespace === root;
    const counts = isForAll || namespaces === null || namespaces.includes(namespace);
    const key = JSON.stringify([imageType, isForAll || namespace]);
    if (imageType === '' || !counts || changes.has(key)) continue;
    changes.set(key, { object, imageType, namespaces: isForAll ? namespaces : [namespace] });
  }
  return [...changes.values()];
};

/** Finds the images that ProxyConfigs change by another type than the mesh has, in their own namespace or everywhere. */
const byProxyConfigs = async (
  base: Configuration,
  mesh: MeshSettings | undefined,
  known: readonly ConfiguredImage[],
  { judge, proxyConfigs }: InjectedOptions,
): Promise<readonly ConfiguredImage[]> => {
  const seen = new Set(known.map(({ reference }) => reference));
  const rows: ConfiguredImage[] = [];
  for (const change of typeChanges(proxyConfigs, base, mesh?.rootNamespace ?? base.namespace)) {
    const changed = {
      ...base,
      object: withImageType(base.object, change.imageType),
      source: nameOfObject(change.object),
      namespaces: change.namespaces,
      namesUnknown: false,
    };
    const found = await judgeConfiguration(changed, judge);
    rows.push(
      ...found
        .filter(({ reference }) => !seen.has(reference))
        .map((row) => ({ ...row, path: 'spec.image.imageType' })),
    );
  }
  return rows;
};

const readMesh = async (
  { namespace, revision }: InjectorPlace,
  { reader }: InjectedOptions,
): Promise<{ readonly mesh: MeshSettings | undefined; readonly problem?: string }> => {
  const name = nameFor('istio', revision);
  const read = await reader.configMap(namespace, name);
  if ('isUnread' in read)
    return {
      mesh: undefined,
      problem: `ConfigMap ${namespace}/${name} could not be read: it may set another type of image`,
    };
  if (read.object === undefined) return { mesh: undefined };
  const mesh = parseMeshConfig(read.object);
  return mesh === undefined
    ? {
        mesh,
        problem: `data.mesh of ConfigMap ${namespace}/${name} is not read: it may set another type of image`,
      }
    : { mesh };
};

/** Finds what the injector of one place injects, its ConfigMap with what the mesh and ProxyConfigs set. Nothing rejects. */
export const findInjected = async (
  place: InjectorPlace,
  options: InjectedOptions,
): Promise<readonly ConfiguredImage[]> => {
  const { namespace, revision, injector } = place;
  const { reader, judge } = options;
  const name = nameFor('istio-sidecar-injector', revision);
  const source = `ConfigMap ${namespace}/${name}`;
  const row = { source, namespaces: namespacesOf(place, options) };
  const read = await reader.configMap(namespace, name);
  if ('isUnread' in read && injector === undefined && place.areWebhooksKnown) return [];
  if ('isUnread' in read)
    return [unknownRow(row, '', 'it could not be read, so what the injector injects is not known')];
  const { object } = read;
  if (object === undefined)
    return injector === undefined
      ? []
      : [
          unknownRow(
            row,
            '',
            `it does not exist, though ${injector.configurations.join(', ')} sends pods to this injector`,
          ),
        ];
  const { mesh, problem: meshProblem } = await readMesh(place, options);
  const typed = mesh?.imageType === undefined ? object : withImageType(object, mesh.imageType);
  const base = { ...row, object: typed, namespace };
  const rows = await judgeConfiguration(base, judge);
  const problems = [
    [problemOf(object), 'data.config'],
    [meshProblem, 'data.mesh'],
  ] as const;
  return [
    ...rows,
    ...problems.flatMap(([problem, path]) => (problem === undefined ? [] : [unknownRow(row, path, problem)])),
    ...(await byProxyConfigs(base, mesh, rows, options)),
  ];
};
