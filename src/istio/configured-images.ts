import { isJsonObject, type JsonObject, memberOf, textOf as optionalText, parseJson } from '../base/index.ts';
import { type Choice, type ConfiguredImages, imageOf, scalarAt } from './image-choice.ts';
import { templateImages } from './injection-templates.ts';
import { overlayImages } from './operator-overlays.ts';

/*
 * Sources: istio/istio `pkg/kube/inject/inject.go` (ProxyImage), `manifests/charts/*` (values, profiles),
 * `operator/pkg/apis/types.go` (IstioOperator); istio-ecosystem/sail-operator `api/v1`.
 */

const textOf = (value: unknown): string => optionalText(value) ?? '';

/** The hub of Istio's own builds of istioctl. */
const DEFAULT_HUB = 'docker.io/istio';

interface Installation {
  readonly values: JsonObject;
  /** The path of the values in the document. */
  readonly path: string;
  /** Settings of the resource itself, which Istio copies into `values.global`. */
  readonly own?: Choice;
  readonly defaults?: Choice;
}

const objectAt = (from: unknown, name: string): JsonObject => {
  const value = memberOf(from, name);
  return isJsonObject(value) ? value : {};
};

/** The setting of `names` in `from`, without those that are absent or empty. */
const choiceAt = (from: unknown, path: string): Choice => ({
  hub: scalarAt(from, 'hub'),
  tag: scalarAt(from, 'tag'),
  variant: scalarAt(from, 'variant'),
  image: scalarAt(from, 'image'),
  path,
});

const globalOf = ({ values, path }: Installation): Choice => {
  const { image: _image, ...choice } = choiceAt(objectAt(values, 'global'), `${path}.global`);
  return choice;
};

/** The image that is injected: `hub/proxyv2:tag` (`ProxyImage`). Its type is the mesh's, which the charts set to the variant. */
const proxyOf = (installation: Installation): readonly Choice[] => {
  const { values, path, own = {}, defaults = {} } = installation;
  const mesh = objectAt(objectAt(values, 'meshConfig'), 'defaultConfig');
  const variant = scalarAt(objectAt(mesh, 'image'), 'imageType');
  const proxy = objectAt(objectAt(values, 'global'), 'proxy');
  const image = { image: scalarAt(proxy, 'image'), path: `${path}.global.proxy` };
  return [image, { variant }, globalOf(installation), own, defaults];
};

const componentOf = (installation: Installation, name: string): readonly Choice[] => {
  const { values, path, own = {}, defaults = {} } = installation;
  const at = choiceAt(objectAt(values, name), `${path}.${name}`);
  return [at, globalOf(installation), own, defaults];
};

type Wanted = readonly [container: string, image: string, choices: readonly Choice[]];

const configured = (wanted: readonly Wanted[], what: string): ConfiguredImages => {
  const results = wanted.map(([container, image, choices]) => imageOf(container, image, choices));
  const named = results.filter((result) => typeof result !== 'string');
  // The init container has the proxy's image, and is not another one to name.
  const images = [...new Map(named.toReversed().map((one) => [one.image, one])).values()].toReversed();
  const missing = [...new Set(results.filter((result) => typeof result === 'string'))];
  return {
    images,
    unknown: missing.map((setting) => `${what} sets no ${setting}, so its images are not known`),
  };
};

const join = (...all: readonly ConfiguredImages[]): ConfiguredImages => ({
  images: all.flatMap(({ images }) => images),
  unknown: all.flatMap(({ unknown }) => unknown),
});

/** Other programs than the proxy that the injector's values name, each with its own image. */
const injectedBeside = (installation: Installation): readonly Wanted[] => {
  const global = objectAt(installation.values, 'global');
  const names: readonly (readonly [string, string])[] = [
    ['proxy_init', 'istio-init'],
    ['agentgateway', 'agentgateway'],
  ];
  return names.flatMap(([name, container]): readonly Wanted[] => {
    const image = scalarAt(objectAt(global, name), 'image');
    const path = `${installation.path}.global.${name}`;
    if (image === undefined) return [];
    const [, ...rest] = proxyOf(installation);
    return [[container, image, [{ image, path }, ...rest]]];
  });
};

/** The templates of the injector that an installation's values add or replace. */
const ownTemplates = ({ values, path, own = {}, defaults = {} }: Installation): ConfiguredImages => {
  const { hub = own.hub ?? defaults.hub, tag = own.tag ?? defaults.tag } = objectAt(values, 'global');
  const completed = { ...values, global: { ...objectAt(values, 'global'), hub, tag } };
  const templates = objectAt(objectAt(values, 'sidecarInjectorWebhook'), 'templates');
  return join(
    ...Object.entries(templates).map(([name, text]) =>
      templateImages(textOf(text), completed, `${path}.sidecarInjectorWebhook.templates.${name}`),
    ),
  );
};

const INJECTOR = 'istio-sidecar-injector';

const injectorConfig = (object: JsonObject): ConfiguredImages | undefined => {
  const data = objectAt(object, 'data');
  const name = textOf(memberOf(memberOf(object, 'metadata'), 'name'));
  const values = parseJson(textOf(data['values']));
  if (!isJsonObject(values) || !isJsonObject(values['global']))
    return name.startsWith(INJECTOR)
      ? { images: [], unknown: ['data.values of the injector is not JSON with a global section'] }
      : undefined;
  const installation = { values, path: 'data.values' };
  const wanted: readonly Wanted[] = [
    ['istio-proxy', 'proxyv2', proxyOf(installation)],
    ...injectedBeside(installation),
  ];
  return join(
    configured(wanted, 'data.values.global'),
    templateImages(textOf(data['config']), values, 'data.config'),
  );
};

/**
 * Returns the revision of the injector's ConfigMap, `default` for the one without; undefined for any other object. Source:
 * istio/istio, istiod chart, `istiod-injector-configmap.yaml`.
 */
export const injectorRevision = (object: unknown): string | undefined => {
  const name = textOf(memberOf(memberOf(object, 'metadata'), 'name'));
  if (memberOf(object, 'kind') !== 'ConfigMap' || memberOf(object, 'apiVersion') !== 'v1') return undefined;
  if (name === INJECTOR) return 'default';
  return name.startsWith(`${INJECTOR}-`) ? name.slice(INJECTOR.length + 1) : undefined;
};

const isOff = (from: JsonObject, name: string): boolean => memberOf(from[name], 'enabled') === false;
const isOn = (from: JsonObject, name: string): boolean => memberOf(from[name], 'enabled') === true;

/** The components of an IstioOperator that are not switched off, gateways too, each with its path. */
const activeComponents = (components: JsonObject): readonly (readonly [JsonObject, string])[] =>
  Object.entries(components).flatMap(([name, value]) => {
    const path = `spec.components.${name}`;
    const entries: readonly (readonly [unknown, string])[] = Array.isArray(value)
      ? value.map((entry: unknown, index) => [entry, `${path}[${index}]`] as const)
      : [[value, path]];
    return entries.flatMap(([entry, at]) =>
      isJsonObject(entry) && memberOf(entry, 'enabled') !== false ? [[entry, at] as const] : [],
    );
  });

const GATEWAY = /^spec\.components\.(?:in|e)gressGateways\[/;

const operatorConfig = (object: JsonObject): ConfiguredImages => {
  const spec = objectAt(object, 'spec');
  const profile = textOf(spec['profile']);
  const isAmbient = profile.includes('ambient');
  const { image: _image, ...own } = choiceAt(spec, 'spec');
  const mesh = objectAt(objectAt(spec, 'meshConfig'), 'defaultConfig');
  const proxyType = { variant: scalarAt(objectAt(mesh, 'image'), 'imageType') };
  const defaults = { hub: DEFAULT_HUB, ...(isAmbient ? { variant: 'distroless' } : {}), path: 'spec' };
  const installation = { values: objectAt(spec, 'values'), path: 'spec.values', own, defaults };
  const components = objectAt(spec, 'components');
  const component = (name: string): readonly Choice[] => [
    choiceAt(components[name], `spec.components.${name}`),
    ...componentOf(installation, name),
  ];
  const active = activeComponents(components);
  const gateways = active.filter(([, path]) => GATEWAY.test(path));
  const hasPilot = profile === 'empty' ? isOn(components, 'pilot') : !isOff(components, 'pilot');
  const isInstalled = (name: string, byProfile: boolean): boolean =>
    byProfile ? !isOff(components, name) : isOn(components, name);
  const hasProxy = hasPilot || profile !== 'empty' || gateways.length > 0;
  const proxy = [proxyType, ...proxyOf(installation)];
  const wanted: readonly Wanted[] = [
    ...(hasPilot ? [['discovery', 'pilot', component('pilot')] as const] : []),
    ...(hasProxy ? [['istio-proxy', 'proxyv2', proxy] as const] : []),
    ...injectedBeside(installation),
    ...gateways.map(
      ([entry, path]) => ['istio-proxy', 'proxyv2', [choiceAt(entry, path), ...proxy]] as const,
    ),
    ...(isInstalled('cni', isAmbient || profile.startsWith('openshift'))
      ? [['install-cni', 'install-cni', component('cni')] as const]
      : []),
    ...(isInstalled('ztunnel', isAmbient) ? [['istio-proxy', 'ztunnel', component('ztunnel')] as const] : []),
  ];
  const overlays = active.map(([entry, path]) => overlayImages(entry, path));
  return join(configured(wanted, 'the IstioOperator'), ...overlays, ownTemplates(installation));
};

const RELEASE = /^v(\d+\.\d+\.\d+(?:-[a-z]+\.\d+)?)$/;

/** A resource of the Sail operator: its version is that of Istio, and its hub the operator's own unless it is set. */
const sailConfig =
  (names: (installation: Installation) => readonly Wanted[]) =>
  (object: JsonObject): ConfiguredImages => {
    const spec = objectAt(object, 'spec');
    const [, tag] = RELEASE.exec(textOf(spec['version'])) ?? [];
    const variant = textOf(spec['profile']).includes('ambient') ? 'distroless' : undefined;
    const values = objectAt(spec, 'values');
    const installation = { values, path: 'spec.values', defaults: { tag, variant, path: 'spec.version' } };
    return join(configured(names(installation), `the ${textOf(object['kind'])}`), ownTemplates(installation));
  };

const controlPlane = sailConfig((installation) => [
  ['discovery', 'pilot', componentOf(installation, 'pilot')],
  ['istio-proxy', 'proxyv2', proxyOf(installation)],
  ...injectedBeside(installation),
]);

const READERS: ReadonlyMap<string, (object: JsonObject) => ConfiguredImages | undefined> = new Map([
  ['/ConfigMap', injectorConfig],
  ['install.istio.io/IstioOperator', operatorConfig],
  ['sailoperator.io/Istio', controlPlane],
  ['sailoperator.io/IstioRevision', controlPlane],
  ['sailoperator.io/IstioCNI', sailConfig((at) => [['install-cni', 'install-cni', componentOf(at, 'cni')]])],
  ['sailoperator.io/ZTunnel', sailConfig((at) => [['istio-proxy', 'ztunnel', componentOf(at, 'ztunnel')]])],
]);

/**
 * Finds the images that an object of Kubernetes makes Istio inject or install: the injector's ConfigMap, an
 * `IstioOperator`, and the resources of the Sail operator. Undefined if the object is none of them.
 */
export const findConfiguredImages = (object: JsonObject): ConfiguredImages | undefined => {
  const [group = ''] = textOf(object['apiVersion']).split('/').slice(0, -1);
  return READERS.get(`${group}/${textOf(object['kind'])}`)?.(object);
};
