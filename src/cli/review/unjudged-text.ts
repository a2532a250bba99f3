import type { Recogniser } from './could-be-istio.ts';

const isImageName = (name: string): boolean => /image|^reference$|^repository$/i.test(name);
const isHubName = (name: string): boolean => /(?:^|\.)hub$/i.test(name);
const isRegistryName = (name: string): boolean => /registry$/i.test(name);
const isRepositoryName = (name: string): boolean => /repository$/i.test(name);

/**
 * The settings in a text that is YAML or JSON itself: `image: …`. A name is tried from its beginning alone, so that a long
 * text without blanks takes linear time.
 */
const SETTING =
  /(["']?)(?<![\w.-])([\w.-]*(?:image|hub|registry|repository|reference|name))\1\s*[:=]\s*["']?([^\s"',{}]+)/gi;

const WORDS = /[^\s"'`,;|<>()[\]{}=\\]+/g;

/** A tag or digest beside a name (Kustomize: `newTag`). */
const TAG = /(?:tag|digest)["']?\s*[:=]/i;

/** An escape of JSON inside JSON, however often it was escaped. A run is tried from its beginning alone. */
const ESCAPE = /(?<!\\)\\+(?:u00([0-7][0-9a-f])|([nrt])|(["'/]))/gi;

const unescaped = (text: string): string =>
  text.replace(ESCAPE, (_all, code?: string, _blank?: string, literal?: string) =>
    code === undefined ? (literal ?? ' ') : String.fromCharCode(Number.parseInt(code, 16)),
  );

/** True if the value of a setting in a text, or of a field, could name an image or a hub of Istio's. */
const isNamedBy = (name: string, value: string, recogniser: Recogniser): boolean => {
  const { isImage, isHub, isIstioRegistry, isKnownHub } = recogniser;
  if (isHubName(name)) return isHub(value);
  if (isRegistryName(name)) return isIstioRegistry(value);
  return (isImageName(name) && isImage(value)) || (isRepositoryName(name) && isKnownHub(value));
};

/** Returns what could be Istio's in a text of several words, which may be YAML, JSON, a template or a command. */
const findInText = (
  source: string,
  recogniser: Recogniser,
  isWord: (word: string) => boolean,
): readonly string[] => {
  const text = unescaped(source);
  const isTagged = TAG.test(text);
  const isSplit = (name: string, value: string): boolean =>
    /newname$/i.test(name) || (isTagged && /name$/i.test(name) && value.includes('/'));
  const settings = [...text.matchAll(SETTING)].flatMap(([, , name = '', value = '']) => {
    const found = isNamedBy(name, value, recogniser) || (isSplit(name, value) && recogniser.isImage(value));
    return found ? [value] : [];
  });
  const words = [...text.matchAll(WORDS)].map(([word]) => word).filter(isWord);
  return [...settings, ...words];
};

/** Returns what could be Istio's in the text of a field. */
export const findInField = (field: string, text: string, recogniser: Recogniser): readonly string[] => {
  const trimmed = text.trim();
  const { isImage, isClearlyImage } = recogniser;
  if (/\s/.test(trimmed)) return findInText(text, recogniser, isClearlyImage);
  // Kustomize writes `NAME=IMAGE`.
  if (trimmed.includes('='))
    return findInText(text, recogniser, isImageName(field) ? isImage : isClearlyImage);
  if (isHubName(field) || isRegistryName(field))
    return isNamedBy(field, trimmed, recogniser) ? [trimmed] : [];
  const found = isNamedBy(field, trimmed, recogniser) || (!isImageName(field) && isClearlyImage(trimmed));
  return found ? [trimmed] : findInText(text, recogniser, isClearlyImage);
};
