export type { NamespacePolicy, NamespaceRule } from './namespace-policy.ts';
export { type ReadPolicyOptions, readNamespacePolicy } from './read-policy.ts';
