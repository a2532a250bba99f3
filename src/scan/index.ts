export { type WarmedUp, warmUp } from './warm-up.ts';
