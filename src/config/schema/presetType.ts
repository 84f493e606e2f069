/** The names of the presets; what they set is in `presets.ts`. */
import { oneOf } from './scalarTypes.js';

/** Every preset. */
export const presetNames = ['lan', 'cloud', 'fast'] as const;

/** One of {@link presetNames}. */
export type PresetName = (typeof presetNames)[number];

/** The value of a `preset` key. */
export const presetType = oneOf(presetNames);
