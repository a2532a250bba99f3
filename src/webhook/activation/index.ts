export { type Activation, createActivation } from './activation.ts';
