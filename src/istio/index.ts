export type { ImageClass, Places } from './image-class.ts';
