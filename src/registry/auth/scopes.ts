/**
 * The scopes that a challenge may add to a token request. Whoever writes a challenge chooses them, so they are few, short and
 * never more than pull: a verifier that could push would be worth attacking.
 */

/** Characters of a challenge's scopes; longer ones are ignored, because they would fill the URL of the token service. */
const MAX_LENGTH = 1024;
/** Distribution's challenges have one scope, and a second to mount a blob. */
const MAX_SCOPES = 4;

/** The grammar of distribution, docs/spec/auth/scope.md. A name may contain a host with a port. */
const RESOURCE_SCOPE = /^(repository(?:\([a-z0-9]+\))?):([A-Za-z0-9._/:-]+):([a-z,*]+)$/;
/** A word of a registry's own: `aws` (ECR Public). It has no actions. */
const WORD = /^[A-Za-z0-9._-]+$/;

/** Returns the scope, reduced to pull; undefined if it is for something else. */
const pullOf = (scope: string): string | undefined => {
  if (WORD.test(scope)) return scope;
  const [, type, name, actions = ''] = RESOURCE_SCOPE.exec(scope) ?? [];
  return actions.split(',').some((action) => action === 'pull' || action === '*')
    ? `${type}:${name}:pull`
    : undefined;
};

/** Returns the scope of a repository: pull only. */
export const scopeOf = (path: string): string => `repository:${path}:pull`;

/**
 * Returns the scopes to ask for, of which there are several if a challenge names another scope than the repository's:
 * registries that rewrite paths (Artifactory) or have scopes of their own (ECR Public) name it. Its own comes last, because some
 * token services look at the first one only.
 */
export const scopesToAsk = (challenged: string | undefined, path: string): readonly string[] => {
  const own = scopeOf(path);
  const text = challenged !== undefined && challenged.length <= MAX_LENGTH ? challenged : '';
  const named = text.split(' ').flatMap((scope) => pullOf(scope) ?? []);
  return [...new Set([...named.filter((scope) => scope !== own).slice(0, MAX_SCOPES), own])];
};
