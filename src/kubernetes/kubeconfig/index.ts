export { CredentialProblem, createExecCredentials, type ExecCredentials } from './exec-credential.ts';
export { type Kubeconfig, loadKubeconfig } from './kubeconfig.ts';
